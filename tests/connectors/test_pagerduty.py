"""PagerDuty's incidents, read from the demo's server over a small account."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from connectors.connector import (
    Batch,
    Connector,
    Context,
    Covered,
    Problem,
    Quarantined,
)
from connectors.pagerduty import PagerDutyConnector, PagerDutyOptions
from connectors.pagerduty import feed as pagerduty_feed
from connectors.pagerduty.feed import LATE, SKEW, SPAN, Position, spans
from connectors.pagerduty.incidents import _meaning
from connectors.records import Incident
from tests.connectors.contract import ConnectorContract, Loaded, Tool, scopes
from tests.connectors.pagerduty_account import ADA, BO, DAY, SHA, TOKEN, Account, minutes
from tests.connectors.pagerduty_reader import Reader, lived, of, reading, spoilt


@pytest.fixture
def account() -> Account:
    return lived()


@pytest.fixture
def reader(account: Account) -> Iterator[Reader]:
    with reading(account) as reader:
        yield reader


class PagerDutyTool(Tool):
    """The account behind its token."""

    secret = TOKEN

    def __init__(self, account: Account, url: str) -> None:
        self.account = account
        self.url = url
        self.token = TOKEN

    def connector(self, cache: Path) -> Connector:
        options = PagerDutyOptions(url=self.url, token=TOKEN, cause_field="cause")
        return PagerDutyConnector("pagerduty", options, Context(cache, b"key"))

    def grow(self) -> None:
        now = 201 * DAY
        self.account.opened("Q3", now)
        self.account.logged("Q2", now, "acknowledge", BO)

    def spoil(self) -> str:
        self.account.opened("QBAD", 201 * DAY)
        self.account.server.change = spoilt("QBAD", created_at="yesterday")
        return "QBAD"

    def refuse(self) -> None:
        body = {"error": {"message": "Unauthorized", "code": 2006}}
        refused = Route("/{path:path}", lambda _: JSONResponse(body, 401))
        self.account.server.app = Starlette(routes=[refused])


class TestContract(ConnectorContract):
    @pytest.fixture
    def tool(self, account: Account, reader: Reader) -> Tool:
        return PagerDutyTool(account, reader.url)


class TestIncidents:
    def test_its_times_are_those_of_the_log(self, reader: Reader) -> None:
        reader.read(cause_field="cause")
        assert reader.incident("Q1") == Incident(
            id="Q1",
            service="PSHOP01",
            repository=None,
            severity="P1",
            status="resolved",
            opened_at=minutes(0),
            acknowledged_at=minutes(5),
            resolved_at=minutes(30),
            deployment=None,
            sha=SHA,
            change_number=None,
            url="https://demo.pagerduty.example/incidents/Q1",
        )
        still_open = reader.incident("Q2")
        assert (still_open.status, still_open.acknowledged_at, still_open.resolved_at) == ("open", None, None)

    def test_what_is_acknowledged_first_by_a_machine_is_not_by_a_human(
        self, account: Account, reader: Reader
    ) -> None:
        account.opened("Q3", 100)
        account.logged("Q3", 101, "acknowledge")
        account.logged("Q3", 109, "acknowledge", BO)
        account.logged("Q3", 120, "acknowledge", ADA)
        reader.read()
        assert reader.incident("Q3").acknowledged_at == minutes(109)

    def test_one_that_is_opened_anew_is_not_resolved_until_it_is_again(
        self, account: Account, reader: Reader
    ) -> None:
        reader.read()
        assert reader.incident("Q1").resolved_at == minutes(30)
        account.logged("Q1", 210 * DAY, "trigger")
        reader.read()
        assert (reader.incident("Q1").status, reader.incident("Q1").resolved_at) == ("open", None)
        assert reader.incident("Q1").acknowledged_at == minutes(5)
        account.logged("Q1", 211 * DAY, "resolve", BO)
        reader.read()
        assert reader.incident("Q1").resolved_at == minutes(211 * DAY)

    def test_nothing_new_costs_two_requests_and_no_item(self, reader: Reader) -> None:
        reader.read()
        reader.read()
        assert [each.path for each in reader.requests if each.path in {"/log_entries", "/incidents"}] == [
            "/log_entries",
            "/incidents",
        ]
        assert not [each for each in reader.requests if each.path.startswith("/incidents/")]

    def test_what_is_listed_again_for_fear_of_late_ones_is_no_news(
        self, account: Account, reader: Reader
    ) -> None:
        for number in range(3, 9):
            account.opened(f"Q{number}", 210 * DAY + number)
            account.announced(f"C{number}", 210 * DAY + number)
        reader.read()
        assert not of(reader.read(), Batch)

    def test_an_old_one_that_changes_is_asked_for_alone(self, account: Account, reader: Reader) -> None:
        reader.read()
        account.logged("Q1", 202 * DAY, "acknowledge", ADA)
        items = reader.read()
        assert [each.path for each in reader.requests if each.path.startswith("/incidents/")] == [
            "/incidents/Q1",
            "/incidents/Q1/log_entries",
        ]
        assert [len(batch.records) for batch in of(items, Batch)] == [1]

    def test_what_changes_no_record_is_passed_over(self, account: Account, reader: Reader) -> None:
        reader.read()
        account.logged("Q1", 202 * DAY, "annotate", ADA)
        assert not of(reader.read(), Batch)

    def test_an_entry_that_comes_late_is_seen(self, account: Account, reader: Reader) -> None:
        account.opened("Q3", 210 * DAY)
        reader.read()
        # Written before the last one that was read, listed after it.
        account.logged("Q2", 210 * DAY - 5, "acknowledge", BO)
        reader.read()
        assert reader.incident("Q2").acknowledged_at == minutes(210 * DAY - 5)

    def test_a_merged_one_is_resolved_when_it_was_merged(self, account: Account, reader: Reader) -> None:
        account.logged("Q2", 201 * DAY, "resolve", ADA)
        reason = {"type": "merge_resolve_reason", "incident": {"id": "Q1", "type": "incident_reference"}}
        account.server.change = spoilt("Q2", resolve_reason=reason)
        reader.read()
        assert reader.incident("Q2").resolved_at == minutes(201 * DAY)

    def test_a_service_that_is_gone_or_not_said_is_no_reason_to_fail(
        self, account: Account, reader: Reader
    ) -> None:
        account.opened("Q3", 100, service="PGONE99")
        account.server.change = spoilt("Q2", service=None, priority=None)
        assert not of(reader.read(), Quarantined)
        assert reader.incident("Q3").service == "PGONE99"
        assert (reader.incident("Q2").service, reader.incident("Q2").severity) == (None, "high")

    def test_an_agent_who_is_gone_was_a_human(self, account: Account, reader: Reader) -> None:
        account.opened("Q3", 100)
        account.logged("Q3", 101, "acknowledge", BO)
        account.server.change = spoilt(account["Q3"].log[-1].id, agent=None)
        reader.read()
        assert reader.incident("Q3").acknowledged_at == minutes(101)

    def test_one_without_a_log_is_asked_for_it_and_falls_back_on_its_own_fields(
        self, account: Account, reader: Reader
    ) -> None:
        empty = {"log_entries": [], "limit": 100, "offset": 0, "more": False, "total": 0}
        account.server.answers["/log_entries"] = (200, empty)
        reader.read()
        assert reader.incident("Q1").acknowledged_at == minutes(5)
        account.server.answers["/incidents/Q1/log_entries"] = (200, empty)
        reader.loaded = Loaded()
        reader.read()
        assert (reader.incident("Q1").acknowledged_at, reader.incident("Q1").resolved_at) == (
            None,
            minutes(30),
        )

    def test_one_that_vanishes_meanwhile_is_left_out(self, account: Account, reader: Reader) -> None:
        reader.read()
        account.logged("Q1", 202 * DAY, "acknowledge", ADA)
        account.server.answers["/incidents/Q1"] = (404, {"error": {"message": "Not Found", "code": 2100}})
        account.opened("Q3", 202 * DAY)
        items = reader.read()
        assert not of(items, Problem)
        assert reader.incident("Q3").status == "open"

    @pytest.mark.parametrize(
        "fields",
        [
            {"created_at": "soon"},
            {"created_at": None},
            {"status": "snoozed"},
            {"service": "shop"},
            {"priority": 3},
            {"resolved_at": 5, "status": "resolved"},
        ],
    )
    def test_what_cannot_be_understood_is_quarantined_once_and_the_rest_read(
        self, account: Account, reader: Reader, fields: dict[str, Any]
    ) -> None:
        account.server.change = spoilt("Q2", **fields)
        items = reader.read()
        (quarantined,) = of(items, Quarantined)
        assert (quarantined.stream, quarantined.scope, quarantined.id) == ("incident", "incidents", "Q2")
        assert quarantined.reason
        assert [incident.id for incident in reader.records(Incident)] == ["Q1"]
        assert not of(reader.read(), Quarantined | Batch)  # type: ignore[arg-type]

    def test_a_log_entry_that_cannot_be_understood_is_quarantined_once(
        self, account: Account, reader: Reader
    ) -> None:
        entry = account["Q2"].log[0].id
        account.server.change = spoilt(entry, incident=None)
        assert [each.id for each in of(reader.read(), Quarantined)] == [entry]
        assert reader.incident("Q2").status == "open"
        assert not of(reader.read(), Quarantined | Batch)  # type: ignore[arg-type]

    def test_no_quarantine_says_who_or_what(self, account: Account, reader: Reader) -> None:
        account.server.change = spoilt("Q2", created_at=ADA.name, html_url=ADA.email)
        (quarantined,) = of(reader.read(), Quarantined)
        assert quarantined.reason == "created_at is no time"

    def test_nobody_lands_in_clear(self, account: Account, reader: Reader) -> None:
        account.logged("Q2", 201 * DAY, "acknowledge", BO)
        told = repr(reader.read()) + repr(list(reader.connector().check()))
        for person in (ADA, BO):
            assert person.name not in told
            assert person.email not in told
        assert "It burns" not in told


class TestSpans:
    def test_a_long_history_is_read_span_by_span_and_gone_on_from_any(
        self, account: Account, reader: Reader, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(pagerduty_feed, "SPAN", timedelta(days=30))
        for day in range(10, 210, 20):
            account.opened(f"Q{day}", day * DAY)
        items = [item for item in reader.connector().read({}) if getattr(item, "scope", "") == "incidents"]
        batches = of(items, Batch)
        assert len(batches) > 3
        position = Position.read(batches[1].cursor["incident"])
        assert position
        assert all(record.opened_at <= position.until for batch in batches[:2] for record in batch.records)
        loaded = Loaded(items[: items.index(batches[1]) + 1])
        loaded.load(reader.connector().read(loaded.cursors))
        assert len([each for each in loaded.records.values() if isinstance(each, Incident)]) == 12

    def test_spans_leave_no_gap_and_the_last_one_is_open(self) -> None:
        floor = datetime.now(UTC) - timedelta(days=400)
        found = list(spans(None, floor))
        assert found[0].since == floor
        assert [span.is_open for span in found] == [*[False] * (len(found) - 1), True]
        for one, following in pairwise(found):
            assert following.since == one.until - LATE
            assert following.until - following.since <= timedelta(days=180)
        assert found[-1].until >= datetime.now(UTC) + SKEW - timedelta(minutes=1)
        (only,) = spans(Position(datetime.now(UTC) - SPAN / 2), floor)
        assert only.is_open

    def test_a_clock_ahead_of_ours_loses_nothing(self, account: Account, reader: Reader) -> None:
        ahead = (datetime.now(UTC) + timedelta(hours=5) - minutes(0)).total_seconds() / 60
        account.opened("QAHEAD", round(ahead))
        reader.read()
        assert reader.incident("QAHEAD").status == "open"
        account.opened("QNOW", round(ahead) - 300)
        account.logged("QAHEAD", round(ahead) + 1, "acknowledge", ADA)
        reader.read()
        assert reader.incident("QAHEAD").status == "acknowledged"

    def test_more_than_a_list_may_hold_is_asked_for_in_halves(
        self, account: Account, reader: Reader, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(pagerduty_feed, "_LONGEST", 250)
        for number in range(700):
            account.opened(f"QX{number}", 212 * DAY + number)
        reader.read()
        assert len(reader.records(Incident)) == 702
        reader.loaded = Loaded()

        def without_total(path: str, body: Any) -> Any:
            body.pop("total", None)
            return body

        account.server.change = without_total
        reader.read()
        assert len(reader.records(Incident)) == 702

    def test_too_many_in_a_second_is_told(
        self, account: Account, reader: Reader, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(pagerduty_feed, "_LONGEST", 100)
        for number in range(150):
            account.opened(f"QX{number}", 212 * DAY)
        (problem,) = of(reader.read(), Problem)
        assert problem.scope == "incidents"

    def test_an_account_without_incidents_costs_one_request_for_them(
        self, account: Account, reader: Reader
    ) -> None:
        account.world.incidents.clear()
        items = reader.read()
        assert [each.path for each in reader.requests].count("/incidents") == 1
        assert "incidents" in scopes(items)
        assert not [batch for batch in of(items, Batch) if batch.stream == "incident"]


class TestCauses:
    @pytest.mark.parametrize(
        ("cause", "meaning"),
        [
            (None, (None, None, None)),
            (SHA, (SHA, None, None)),
            (SHA.upper(), (SHA, None, None)),
            ("c83ae02", ("c83ae02", None, None)),
            ("#12", (None, None, 12)),
            ("!7", (None, None, 7)),
            ("1234567890", (None, "1234567890", None)),
            ("deploy/4711", (None, "deploy/4711", None)),
            ("Ada broke it", (None, None, None)),
            ("ada", (None, None, None)),
        ],
    )
    def test_what_a_cause_means(self, cause: str | None, meaning: tuple[Any, Any, Any]) -> None:
        assert _meaning(cause) == meaning

    def test_a_detail_of_the_alerts_stands_in(self, account: Account, reader: Reader) -> None:
        alert = {"id": "A1", "body": {"type": "alert_body", "details": {"commit": SHA}}}
        answer = {"alerts": [{"id": "A0", "body": None}, alert], "more": False}
        account.server.answers["/incidents/Q2/alerts"] = (200, answer)
        reader.read(cause_field="nothing_of_the_kind", cause_detail="commit")
        assert reader.incident("Q2").sha == SHA

    def test_an_account_without_custom_fields_has_no_causes(self, account: Account, reader: Reader) -> None:
        gone = (404, {"error": {"message": "Not Found", "code": 2100}})
        account.server.answers["/incidents/Q1/custom_fields/values"] = gone
        reader.read(cause_field="cause")
        assert reader.incident("Q1").sha is None

    def test_unless_asked_for_no_request_is_spent_on_it(self, reader: Reader) -> None:
        reader.read()
        assert not [each for each in reader.requests if each.path.startswith("/incidents/")]


def test_what_was_read_is_covered_from_when_it_began(reader: Reader) -> None:
    before = datetime.now(UTC)
    (at,) = [item.at for item in reader.read() if isinstance(item, Covered) and item.scope == "incidents"]
    assert before <= at <= datetime.now(UTC)
