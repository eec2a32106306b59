"""Alertmanager, read from a stand-in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.alertmanager.alerts import Rule, fingerprint
from connectors.alertmanager.connector import AlertmanagerConnector, AlertmanagerOptions
from connectors.connector import Batch, Connector, Context, Problem, Quarantined, SourceError
from connectors.records import Incident
from tests.connectors import alertmanager_reader
from tests.connectors.alertmanager_host import ALERT, GENERATOR, AlertHost
from tests.connectors.alertmanager_reader import CONTEXT, Reader, of
from tests.connectors.contract import ConnectorContract, Tool, scopes
from tests.specification import Specification

host, reader = alertmanager_reader.host, alertmanager_reader.reader


class AlertTool(Tool):
    """Three firings that are over and one that goes on, behind a token."""

    secret = "s3cr3t-t0k3n"

    def __init__(self, host: AlertHost, url: str) -> None:
        self.host = host
        self.url = url
        host.authorization = f"Bearer {self.secret}"
        for hours in (100, 50, 20):
            host.fire(hours, hours - 2)
        self.open = host.fire(3, job="node")

    def connector(self, cache: Path) -> Connector:
        options = AlertmanagerOptions(
            url=self.url, token=self.secret, prometheus_url=f"{self.url}/prometheus", history_days=7
        )
        return AlertmanagerConnector("alerts", options, Context(cache, b"key"))

    def grow(self) -> None:
        self.open.ended = self.host.now + timedelta(minutes=20)
        self.host.now += timedelta(hours=1)
        self.host.fire(0.5)

    def spoil(self) -> str:
        alert = self.host.listed(self.open)
        self.host.further.append({**alert, "startsAt": "soon", "fingerprint": "0badf00d"})
        return "0badf00d"

    def refuse(self) -> None:
        self.host.authorization = "Bearer another"


class TestContract(ConnectorContract):
    @pytest.fixture
    def tool(self, host: AlertHost, reader: Reader) -> Tool:
        return AlertTool(host, reader.url)


class TestListed:
    """What is known from Alertmanager alone."""

    def test_an_alert_that_fires_is_an_open_incident(self, host: AlertHost, reader: Reader) -> None:
        fired = host.fire(2)
        host.further.append({**host.listed(fired), "labels": {**ALERT, "pod": "a"}, "fingerprint": "f1",
                             "generatorURL": GENERATOR})  # fmt: skip
        reader.read(remembers=False)
        plain, linked = sorted(reader.incidents, key=lambda incident: incident.url or "")
        assert plain == Incident(
            id=f"{fingerprint(ALERT)}:{int(fired.began.timestamp() * 1000)}",
            service="shop",
            repository=None,
            severity="critical",
            status="open",
            opened_at=fired.began,
            acknowledged_at=None,
            resolved_at=None,
            deployment=None,
            sha=None,
            change_number=None,
            url=None,
        )
        assert linked.url == GENERATOR
        assert "Ada" not in repr(reader.loaded.records) + repr(reader.loaded.cursors)

    def test_one_that_is_listed_no_more_is_resolved_by_now(self, host: AlertHost, reader: Reader) -> None:
        fired = host.fire(2)
        reader.read(remembers=False)
        assert not of(reader.read(remembers=False), Batch)
        fired.ended = host.now
        before = datetime.now(UTC) - timedelta(seconds=3)  # servers tell their time in seconds
        reader.read(remembers=False)
        (incident,) = reader.incidents
        assert incident.status == "resolved"
        assert incident.resolved_at
        assert before <= incident.resolved_at <= datetime.now(UTC)
        assert not of(reader.read(remembers=False), Batch)

    def test_one_that_is_listed_as_over_ended_when_it_says(self, host: AlertHost, reader: Reader) -> None:
        fired = host.fire(2)
        ended = host.now - timedelta(hours=1)
        host.further.append({**host.listed(fired), "endsAt": ended.isoformat()})
        host.fired.clear()
        reader.read(remembers=False)
        assert [incident.resolved_at for incident in reader.incidents] == [ended]
        assert not of(reader.read(remembers=False), Batch)

    def test_one_that_fires_anew_is_another_incident(self, host: AlertHost, reader: Reader) -> None:
        first = host.fire(2)
        reader.read(remembers=False)
        first.ended = host.now - timedelta(hours=1)
        again = host.fire(0.5)
        reader.read(remembers=False)
        assert [(each.opened_at, each.resolved_at) for each in reader.incidents] == [
            (first.began, again.began),
            (again.began, None),
        ]

    def test_a_start_that_moves_back_is_of_the_same_incident(self, host: AlertHost, reader: Reader) -> None:
        fired = host.fire(2)
        reader.read(remembers=False)
        (before,) = reader.incidents
        fired.began -= timedelta(seconds=30)
        reader.read(remembers=False)
        assert reader.incidents == [before._replace(opened_at=fired.began)]

    def test_what_cannot_be_understood_is_quarantined_once(self, host: AlertHost, reader: Reader) -> None:
        alert = host.listed(host.fire(2))
        host.further += [
            {**alert, "startsAt": "0001-01-01T00:00:00Z", "fingerprint": "f1"},
            {**alert, "labels": {"severity": "page", "service": 5}, "fingerprint": "f2"},
            {**alert, "labels": None, "fingerprint": "f3"},
            "boo",
        ]
        quarantined = of(reader.read(remembers=False), Quarantined)
        assert [each.id for each in quarantined] == ["f1", "f2", "f3", "without an id"]
        assert {each.scope for each in quarantined} == {"alerts"}
        assert len(reader.incidents) == 1
        assert not reader.read(remembers=False)[:-1]


class TestFailures:
    def test_a_dead_host_is_one_error(self) -> None:
        options = AlertmanagerOptions(url="http://127.0.0.1:9")
        with pytest.raises(SourceError) as caught:
            list(AlertmanagerConnector("alerts", options, CONTEXT).read({}))
        assert caught.value.is_transient

    def test_a_dead_prometheus_is_a_problem(self, host: AlertHost, reader: Reader) -> None:
        host.fire(1)
        items = reader.read(remembers=False, prometheus_url="http://127.0.0.1:9")
        (problem,) = of(items, Problem)
        assert problem.is_transient
        assert not scopes(items)

    def test_credentials_are_sent_as_configured(self, host: AlertHost, reader: Reader) -> None:
        host.authorization = "Basic cmVhZGVyOnMzY3IzdA=="
        items = reader.read(user="reader", password="s3cr3t")
        assert scopes(items) == {"alerts"}
        assert "s3cr3t" not in repr(reader.connector(user="reader", password="s3cr3t").options)
        with pytest.raises(SourceError, match="401"):
            reader.read(user="reader", password="another")

    def test_another_tool_at_the_address_is_told(self, reader: Reader) -> None:
        with pytest.raises(SourceError):
            list(AlertmanagerConnector("a", AlertmanagerOptions(url=f"{reader.url}/x"), CONTEXT).read({}))

    def test_a_cursor_of_another_make_begins_anew(self, host: AlertHost, reader: Reader) -> None:
        host.fire(1)
        firings: Any = {"a": 1, "b": {"started_at": "soon", "step_seconds": "x"}}
        state: Any = {"firings": firings, "until": "x", "malformed": 1}
        reader.loaded.cursors = {"alerts": {"incident": state}}
        reader.read()
        assert len(reader.incidents) == 1


class TestCheck:
    def test_it_says_how_many_alerts_match(self, host: AlertHost, reader: Reader) -> None:
        host.fire(1)
        host.fire(1, severity="warning")
        (told,) = reader.connector().check()
        assert told.message == "Alertmanager 0.27.0; of the alerts that fire 1 match a rule"

    def test_it_says_what_is_left_out_without_prometheus(self, reader: Reader) -> None:
        *_, told = reader.connector(remembers=False).check()
        assert told.message == "alerts that start and end between two syncs are left out: no prometheus_url"

    def test_a_wrong_password_is_a_problem(self, host: AlertHost, reader: Reader) -> None:
        host.authorization = "Bearer x"
        (problem,) = reader.connector().check()
        assert isinstance(problem, Problem)


def test_every_request_is_documented(host: AlertHost, reader: Reader) -> None:
    specification = Specification("alertmanager")
    reader.read()
    requests = list(reader.received)
    list(reader.connector().check())
    requests += reader.received
    documented = [each for each in requests if not each.path.startswith("/prometheus")]
    assert len(documented) >= 3
    for each in documented:
        specification.request(each.method, each.path, each.query)
    specification.response(
        "GET", "/api/v2/alerts", 200, [{**host.listed(host.fire(1)), "generatorURL": GENERATOR}]
    )


def test_rules_are_plain_values() -> None:
    assert Rule(match={"severity": "page"}).takes({"severity": "page"})
    assert not Rule(match={"severity": "page"}).takes({"severity": "paged"})
