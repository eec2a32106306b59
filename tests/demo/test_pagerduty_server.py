"""The demo's PagerDuty: its paging, its refusals, and its answers held against the specification."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from tests.connectors.pagerduty_account import ADA, DAY, SHA, TOKEN, Account, minutes
from tests.recorded import BOTH, recorded
from tests.serving import serving
from tests.specification import Specification

# Where PagerDuty's own documented examples break its specification.
DESPITE = (
    r"\$\.log_entries\[\d+\]: .* is not valid under any of the given schemas",
    r"\$\.log_entries\[\d+\]: \{'id'",
    r"\$\.custom_fields\[0\]\.value: ",
)


@pytest.fixture(scope="module")
def account() -> Account:
    made = Account()
    made.opened("Q1", 0, sha=SHA)
    made.logged("Q1", 5, "acknowledge", ADA)
    made.logged("Q1", 30, "resolve", ADA)
    for number in range(2, 130):
        made.opened(f"Q{number}", number * DAY)
    made.logged("Q2", 3 * DAY, "acknowledge", ADA)
    made.announced("C1", 1)
    return made


@pytest.fixture(scope="module")
def url(account: Account) -> Iterator[str]:
    with serving(account.server) as url:
        yield url


def get(url: str, path: str, token: str = TOKEN, **query: Any) -> tuple[int, Any, dict[str, str]]:
    """Status, body and headers; a `_` at the end of a parameter stands for `[]`."""
    connection = HTTPConnection(urlsplit(url).netloc, timeout=30)
    asked = urlencode({f"{name[:-1]}[]" if name.endswith("_") else name: query[name] for name in query})
    connection.request("GET", f"{path}?{asked}", headers={"Authorization": f"Token token={token}"})
    response = connection.getresponse()
    body = json.loads(response.read())
    connection.close()
    return response.status, body, dict(response.getheaders())


EVER = {"since": "2020-01-01T00:00:00Z", "until": "2099-01-01T00:00:00Z"}


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/abilities", {}),
        ("/incidents", {"date_range": "all", "limit": 100, "total": "true"}),
        ("/incidents", {"date_range": "all", "sort_by": "created_at:desc", "limit": 1}),
        ("/incidents/Q1", {}),
        ("/incidents/1", {}),
        ("/incidents/Q1/log_entries", {}),
        ("/incidents/Q1/alerts", {}),
        ("/incidents/Q1/custom_fields/values", {}),
        ("/log_entries", EVER),
        ("/change_events", {}),
        ("/services", {}),
        ("/services/PSHOP01", {}),
        ("/teams", {}),
        ("/teams/pay", {}),
        ("/teams/pay/members", {}),
        ("/users", {}),
    ],
)
def test_answers_are_as_specified(url: str, path: str, query: dict[str, Any]) -> None:
    specification = Specification("pagerduty")
    specification.request("GET", path, {name: str(value) for name, value in query.items()})
    status, body, headers = get(url, path, **query)
    assert status == 200
    specification.response("GET", path, status, body, despite=DESPITE)
    assert headers["ratelimit-limit"] == "960"


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        ("/users/me", {}, 400),
        ("/incidents/QNONE", {}, 404),
        ("/services/PNONE", {}, 404),
        ("/teams/none", {}, 404),
        ("/teams/none/members", {}, 404),
        ("/incidents", {"limit": 101}, 400),
        ("/incidents", {"limit": 100, "offset": 9_950}, 400),
        ("/incidents", {"limit": "many"}, 400),
        ("/incidents", EVER, 400),
        ("/incidents", {"since": "soon"}, 400),
    ],
)
def test_refusals_are_as_specified(url: str, path: str, query: dict[str, Any], status: int) -> None:
    said, body, _ = get(url, path, **query)
    assert said == status
    Specification("pagerduty").response("GET", path, status, body)
    assert body["error"]["code"]


def test_what_is_not_there_is_said_in_its_words(url: str) -> None:
    assert get(url, "/nothing/of/the/kind")[:2] == (404, {"error": {"code": 2100, "message": "Not Found"}})


def test_another_token_is_refused(url: str) -> None:
    status, body, _ = get(url, "/incidents", token="another")
    assert status == 401
    Specification("pagerduty").response("GET", "/incidents", 401, body)


def test_pages_follow_one_another(url: str, account: Account) -> None:
    found: list[str] = []
    more = True
    while more:
        _, page, _ = get(url, "/incidents", date_range="all", limit=50, offset=len(found), total="true")
        found += [each["id"] for each in page["incidents"]]
        more = page["more"]
        assert page["total"] == len(account.world.incidents)
    assert found == [each.id for each in account.world.incidents]


def test_lists_are_filtered(url: str) -> None:
    since, until = (minutes(day * DAY).strftime("%Y-%m-%dT%H:%M:%SZ") for day in (5, 8))
    assert [each["id"] for each in get(url, "/incidents", since=since, until=until)[1]["incidents"]] == [
        "Q5",
        "Q6",
        "Q7",
    ]
    _, resolved, _ = get(url, "/incidents", date_range="all", statuses_="resolved")
    assert [each["id"] for each in resolved["incidents"]] == ["Q1"]
    assert not get(url, "/incidents", date_range="all", service_ids_="PSITE02")[1]["incidents"]
    assert not get(url, "/incidents", date_range="all", team_ids_="web")[1]["incidents"]
    assert [each["id"] for each in get(url, "/services", team_ids_="web")[1]["services"]] == ["PSITE02"]
    _, log, _ = get(url, "/log_entries", since=since, until=until)
    assert [each["incident"]["id"] for each in log["log_entries"]] == ["Q7", "Q6", "Q5"]


@BOTH
def test_answers_are_shaped_like_recorded_ones(url: str, recordings: Path) -> None:
    items = [each.item for each in recorded(recordings, "pagerduty", "pagerduty_incidents")]
    _, incident, _ = get(url, "/incidents/Q1")
    ours = set(incident["incident"])
    theirs = set.intersection(*(set(item) for item in items))
    assert theirs - ours == {"first_trigger_log_entry", "escalation_policy", "log_entries", "alerts"}
    assert {key: type(incident["incident"][key]) for key in ours & theirs} == {
        key: type(items[0][key]) for key in ours & theirs
    }
    _, log, _ = get(url, "/incidents/Q1/log_entries")
    entries = [entry for item in items for entry in item["log_entries"] if entry.get("agent")]
    assert set.intersection(*map(set, entries)) <= {*log["log_entries"][0]}
    assert {entry["agent"]["type"] for entry in log["log_entries"]} <= {e["agent"]["type"] for e in entries}
