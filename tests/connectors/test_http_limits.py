"""Rate limits: how long is waited, for which requests, and when not at all."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from types import SimpleNamespace

import pytest
from starlette.responses import Response

from connectors.http import Budget, Client, Forbidden, HttpError, Unavailable
from connectors.http import exchange as http_exchange
from connectors.http.exchange import Exchange
from tests.connectors.http_script import Reply, Script, error, ok

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
"""By the tool's clock, which is not ours."""
DATE = {"Date": format_datetime(NOW, usegmt=True)}


class Clock:
    """Time that passes only while a client waits."""

    def __init__(self) -> None:
        self.waited: list[float] = []
        self.now = 1000.0

    def pause(self, seconds: float, reason: str) -> None:
        assert reason.isprintable()
        self.waited.append(seconds)
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(http_exchange, "time", SimpleNamespace(monotonic=lambda: clock.now))
    monkeypatch.setattr(http_exchange, "UNSAID_LIMIT_SECONDS", 60.0)
    monkeypatch.setattr(Exchange, "pause", lambda _, seconds, reason: clock.pause(seconds, reason))
    return clock


def epoch(after: timedelta) -> str:
    return str(int((NOW + after).timestamp()))


def limit(status: int = 403, body: object = None, **headers: str) -> Response:
    return error(status, body, **DATE, **headers)


MINUTE = timedelta(minutes=1)
USED_UP = {"X_RateLimit_Limit": "5000", "X_RateLimit_Remaining": "0"}


@pytest.mark.parametrize(
    ("reply", "seconds"),
    [
        (limit(429, Retry_After="90"), 90),
        (limit(429, Retry_After=format_datetime(NOW + 2 * MINUTE, usegmt=True)), 120),
        (limit(403, Retry_After="30"), 30),
        (limit(403, **USED_UP, X_RateLimit_Reset=epoch(5 * MINUTE)), 300),
        (limit(429, RateLimit_Remaining="0", RateLimit_Reset=epoch(MINUTE)), 60),
        (limit(429, ratelimit_limit="960", ratelimit_remaining="0", ratelimit_reset="17"), 17),
        (limit(429, **USED_UP, X_RateLimit_Reset=epoch(5 * MINUTE), Retry_After="20"), 300),
        (limit(403, {"message": "You have exceeded a secondary rate limit."}), 60),
        (limit(403, {"message": "You have triggered an abuse detection mechanism."}), 60),
        (limit(429), 60),
        (limit(429, Retry_After="soon"), 60),
        (limit(429, Retry_After="nan"), 60),
        (limit(503, Retry_After="7"), 7),
    ],
)
def test_a_limit_is_waited_for(clock: Clock, script: Script, reply: Reply, seconds: int) -> None:
    with Client(script.answers(reply, ok([1]))) as client:
        assert client.get("/", stream="thing").json() == [1]
    assert seconds <= sum(clock.waited) <= seconds + 1
    assert client.requests == {"thing": 2}


def test_a_limit_that_says_nothing_is_given_more_time_each_time(clock: Clock, script: Script) -> None:
    with Client(script.answers(limit(429), limit(429), limit(429), ok([1]))) as client:
        client.get("/", stream="thing")
    assert [round(seconds, -1) for seconds in clock.waited] == [60, 120, 240]


@pytest.mark.parametrize("words", ["Resource not accessible by integration", ""])
def test_a_403_that_is_no_limit_is_not_waited_for(clock: Clock, script: Script, words: str) -> None:
    left = {"X_RateLimit_Remaining": "12", "X_RateLimit_Reset": epoch(MINUTE)}
    with Client(script.answers(limit(403, {"message": words}, **left))) as client, pytest.raises(Forbidden):
        client.get("/", stream="thing")
    assert clock.waited == []


@pytest.mark.parametrize(
    "reply",
    [
        limit(429, Retry_After="3600"),
        limit(429, Retry_After="9" * 400),
        limit(429, Retry_After="inf"),
        limit(503, Retry_After="3600"),
        limit(403, **USED_UP, X_RateLimit_Reset=epoch(50 * MINUTE)),
    ],
)
def test_what_takes_too_long_is_not_waited_for(clock: Clock, script: Script, reply: Reply) -> None:
    with Client(script.answers(reply)) as client, pytest.raises(Unavailable) as caught:
        client.get("/", stream="thing")
    assert caught.value.status in {429, 503}
    assert caught.value.is_transient
    assert clock.waited == []
    assert client.requests == {"thing": 1}


def test_nothing_is_sent_while_a_limit_is_known(clock: Clock, script: Script) -> None:
    late = limit(403, **USED_UP, X_RateLimit_Reset=epoch(50 * MINUTE))
    with Client(script.answers(late)) as client:
        for _ in range(3):
            with pytest.raises(Unavailable, match="limits the rate of requests for another 50 min"):
                client.get("/", stream="thing")
    assert client.requests == {"thing": 1}


def test_patience_is_of_one_request(clock: Clock, script: Script) -> None:
    limits = [limit(429, Retry_After="40")] * 3
    with Client(script.answers(*limits, ok()), patience_seconds=100) as client:
        with pytest.raises(Unavailable):
            client.get("/", stream="thing")
        assert 80 <= sum(clock.waited) <= 82
        client.get("/", stream="thing")


def test_the_last_of_a_budget_is_noticed_before_it_is_overdrawn(clock: Clock, script: Script) -> None:
    last = ok([1], **DATE, **USED_UP, X_RateLimit_Reset=epoch(MINUTE))
    with Client(script.answers(last, ok([2]))) as client:
        assert client.get("/", stream="thing").json() == [1]
        assert clock.waited == []
        assert client.get("/", stream="thing").json() == [2]
    assert 60 <= sum(clock.waited) <= 61


def test_one_budget_does_not_hold_up_another(clock: Clock, script: Script) -> None:
    used_up = USED_UP | {"X_RateLimit_Reset": epoch(MINUTE)}
    left = {"X_RateLimit_Remaining": "9", "X_RateLimit_Reset": epoch(MINUTE)}
    core = ok([1], **DATE, **left, X_RateLimit_Resource="core")
    search = ok([1], **DATE, **used_up, X_RateLimit_Resource="search")
    with Client(script.answers(core, search, core, core)) as client:
        client.get("/", stream="core")
        client.get("/", stream="search")
        client.get("/", stream="core")
        assert clock.waited == []
        client.get("/", stream="search")
        assert clock.waited


def test_one_limit_holds_up_every_thread(script: Script) -> None:
    with Client(script.answers(limit(429, Retry_After="1"), ok([1])), at_once=4) as client:
        threads = [
            threading.Thread(target=client.get, args=("/",), kwargs={"stream": "thing"}) for _ in range(4)
        ]
        threads[0].start()
        while not script.received:
            pass
        threads[0].join(0.2)
        for thread in threads[1:]:
            thread.start()
        for thread in threads:
            thread.join()
    # Of four requests one was refused, though three came while the limit held.
    assert client.requests == {"thing": 5}


@pytest.mark.parametrize("seconds", ["0", "-5", "0.05"])
def test_a_tool_that_says_now_for_ever_is_given_up(script: Script, seconds: str) -> None:
    refused = limit(429, Retry_After=seconds)
    with Client(script.answers(refused), retries=3) as client, pytest.raises(Unavailable):
        client.get("/", stream="thing")
    assert client.requests == {"thing": 4}


@pytest.mark.parametrize(
    ("headers", "budget"),
    [
        (USED_UP | {"X_RateLimit_Remaining": "4999"}, Budget(5000, 4999, None)),
        ({"RateLimit_Limit": "600", "RateLimit_Remaining": "599"}, Budget(600, 599, None)),
        ({"RateLimit_Remaining": "599", "RateLimit_Reset": "9" * 15}, Budget(599, 599, None)),
        ({"RateLimit_Remaining": "many"}, None),
        ({}, None),
    ],
)
def test_the_budget_is_known(script: Script, headers: dict[str, str], budget: Budget | None) -> None:
    with Client(script.answers(ok([1], **headers))) as client:
        client.get("/", stream="thing")
    assert client.budget == budget


def test_when_the_budget_is_full_again_is_by_our_clock(script: Script) -> None:
    stated = {"X_RateLimit_Limit": "9", "X_RateLimit_Remaining": "8", "X_RateLimit_Reset": epoch(60 * MINUTE)}
    with Client(script.answers(ok([1], **DATE, **stated))) as client:
        client.get("/", stream="thing")
    assert client.budget
    assert client.budget.resets_at
    assert abs(client.budget.resets_at - datetime.now(UTC) - timedelta(hours=1)) < timedelta(minutes=1)


@pytest.mark.parametrize(
    "errors",
    [
        [{"type": "RATE_LIMITED", "message": "API rate limit exceeded"}],
        [{"message": "You have exceeded a secondary rate limit"}],
    ],
)
def test_graphql_says_so_with_status_200(clock: Clock, script: Script, errors: object) -> None:
    refused = ok({"data": None, "errors": errors}, **DATE, **USED_UP, X_RateLimit_Reset=epoch(2 * MINUTE))
    with Client(script.answers(refused, ok({"data": {"x": 1}}))) as client:
        assert client.graphql("query {x}", {}, stream="thing") == {"data": {"x": 1}}
    assert 120 <= sum(clock.waited) <= 121


def test_graphql_that_stays_limited_is_given_up(clock: Clock, script: Script) -> None:
    refused = ok({"errors": [{"type": "RATE_LIMITED", "message": "x"}]})
    with Client(script.answers(refused), retries=2) as client, pytest.raises(HttpError) as caught:
        client.graphql("query {x}", {}, stream="thing")
    assert isinstance(caught.value, Unavailable)


def test_faults_are_given_more_time_each_time_and_chance(
    clock: Clock, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_exchange, "FIRST_PAUSE_SECONDS", 1.0)
    waits = []
    for _ in range(20):
        clock.waited.clear()
        with Client(script.answers(error(502)), retries=6) as client, pytest.raises(Unavailable):
            client.get("/", stream="thing")
        waits.append(clock.waited.copy())
    longest = [max(column) for column in zip(*waits, strict=True)]
    assert all(wait <= bound for wait, bound in zip(longest, [1, 2, 4, 8, 16, 20], strict=True))
    assert longest[-1] > 4
    assert len({wait for column in waits for wait in column}) == 120
