"""Alertmanager and Prometheus, read from stand-ins; webhooks as Alertmanager writes them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.alertmanager import history as alertmanager_history
from connectors.alertmanager.alerts import Rule, fingerprint
from connectors.alertmanager.connector import AlertmanagerConnector, AlertmanagerOptions, incidents, scope_of
from connectors.connector import Batch, Connector, Context, Item, Note, Problem, Quarantined, SourceError
from connectors.parsing import Malformed
from connectors.records import Incident
from tests.connectors.alertmanager_host import ALERT, GENERATOR, AlertHost
from tests.connectors.contract import ConnectorContract, Loaded, Tool, scopes
from tests.serving import Received, serving
from tests.specification import Specification

CONTEXT = Context(Path("unused"), b"key")


@pytest.fixture
def host() -> AlertHost:
    return AlertHost()


class Reader:
    """Reads what is new each time."""

    def __init__(self, url: str, received: list[Received]) -> None:
        self.url = url
        self.received = received
        self.loaded = Loaded()

    def connector(self, *, remembers: bool = True, **options: Any) -> AlertmanagerConnector:
        if remembers:
            options["prometheus_url"] = f"{self.url}/prometheus"
        return AlertmanagerConnector("alerts", AlertmanagerOptions(url=self.url, **options), CONTEXT)

    def read(self, *, remembers: bool = True, **options: Any) -> list[Item]:
        self.received.clear()
        connector = self.connector(remembers=remembers, **options)
        items = list(connector.read(self.loaded.cursors))
        self.loaded.load(items)
        return items

    @property
    def incidents(self) -> list[Incident]:
        found = [each for each in self.loaded.records.values() if isinstance(each, Incident)]
        return sorted(found, key=lambda incident: incident.opened_at)


@pytest.fixture
def reader(host: AlertHost) -> Iterator[Reader]:
    received: list[Received] = []
    with serving(host.app(), received) as url:
        yield Reader(url, received)


def of(items: list[Item], kind: type) -> list[Any]:
    return [item for item in items if isinstance(item, kind)]


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


class TestRules:
    @pytest.mark.parametrize(
        ("labels", "service", "severity"),
        [
            ({"severity": "page", "job": "node"}, "node", "page"),
            ({"severity": "critical", "job": "node", "service": "shop"}, "shop", "critical"),
            ({"severity": "critical"}, None, "critical"),
        ],
    )
    def test_by_default_the_severe_ones_count(
        self, host: AlertHost, reader: Reader, labels: dict[str, str], service: str | None, severity: str
    ) -> None:
        alert = host.listed(host.fire(1))
        host.fired.clear()
        host.further = [
            {**alert, "labels": labels, "fingerprint": "f1"},
            {**alert, "labels": {**labels, "severity": "warning"}, "fingerprint": "f2"},
            {**alert, "labels": {**labels, "severity": "not critical"}, "fingerprint": "f3"},
            {**alert, "labels": {"job": "node"}, "fingerprint": "f4"},
        ]
        reader.read(remembers=False)
        assert [(each.service, each.severity) for each in reader.incidents] == [(service, severity)]

    def test_the_first_rule_that_matches_holds(self, host: AlertHost, reader: Reader) -> None:
        host.fire(1, team="pay", level="1")
        host.fire(2, team="web", app="site")
        host.fire(3, team="none")
        rules = [
            {"match": {"team": "pay|shop", "silent": ""}, "service": "till", "severity_label": "level"},
            {"match": {"team": "pay|web"}, "service_labels": ["app"]},
        ]
        reader.read(remembers=False, rules=rules)
        assert {(each.service, each.severity) for each in reader.incidents} == {
            ("till", "1"),
            ("site", "critical"),
        }

    def test_other_rules_begin_anew(self, host: AlertHost, reader: Reader) -> None:
        host.fire(1)
        rules = [{"match": {"severity": "warning"}}]
        assert scopes(reader.read()) == {"alerts"}
        items = reader.read(rules=rules)
        assert scopes(items) == {scope_of(reader.connector(rules=rules).options)} != {"alerts"}
        assert not [batch for batch in of(items, Batch) if batch.records]

    def test_a_pattern_that_is_none_is_told(self) -> None:
        with pytest.raises(ValidationError, match="the pattern of severity is no regular expression"):
            AlertmanagerOptions(url="http://x", rules=({"match": {"severity": "("}},))

    @pytest.mark.parametrize(
        "options", [{"user": "a"}, {"password": "b"}, {"user": "a", "password": "b", "token": "c"}]
    )
    def test_there_is_one_credential(self, options: dict[str, str]) -> None:
        with pytest.raises(ValidationError, match="`user`"):
            AlertmanagerOptions(url="http://x", **options)

    def test_fingerprints_are_alertmanagers_own(self) -> None:
        labels = {"alertname": "Up", "instance": "127.0.0.1:19090", "job": "self", "severity": "page"}
        assert fingerprint(labels) == "9905d261ba02085b"


class TestHistory:
    """What Prometheus remembers."""

    def test_what_fired_before_is_known_to_the_evaluation(self, host: AlertHost, reader: Reader) -> None:
        first, second = host.fire(60, 58), host.fire(30, 29.97)
        reader.read()
        assert [(each.opened_at, each.resolved_at) for each in reader.incidents] == [
            (first.began, first.ended),
            (second.began, second.began + timedelta(minutes=2)),
        ]
        assert {each.service for each in reader.incidents} == {"shop"}

    def test_it_is_one_incident_whoever_tells(self, host: AlertHost, reader: Reader) -> None:
        host.fire(30)
        reader.read(remembers=False)
        (polled,) = reader.incidents
        reader.loaded = Loaded()
        reader.read()
        assert reader.incidents == [polled]

    def test_what_fires_and_ends_between_two_readings_is_seen(self, host: AlertHost, reader: Reader) -> None:
        reader.read()
        host.now += timedelta(hours=2)
        fired = host.fire(1, 0.5)
        reader.read()
        assert [(each.opened_at, each.resolved_at) for each in reader.incidents] == [
            (fired.began, fired.ended)
        ]
        assert not of(reader.read(), Batch)

    def test_the_end_of_what_was_open_is_known_to_the_evaluation(
        self, host: AlertHost, reader: Reader
    ) -> None:
        fired = host.fire(3)
        reader.read()
        host.now += timedelta(hours=2)
        fired.ended = host.now - timedelta(hours=1)
        reader.read()
        assert [(each.status, each.resolved_at) for each in reader.incidents] == [("resolved", fired.ended)]

    def test_one_over_the_border_of_two_windows_is_one(self, host: AlertHost, reader: Reader) -> None:
        long = host.fire(100, 10)
        reader.read()
        assert [(each.opened_at, each.resolved_at) for each in reader.incidents] == [(long.began, long.ended)]

    def test_one_that_fired_already_where_it_begins_is_left_out_and_told(
        self, host: AlertHost, reader: Reader
    ) -> None:
        host.fire(24 * 3, 20)
        later = host.fire(10, 9, job="other")
        items = reader.read(history_days=2)
        assert [each.opened_at for each in reader.incidents] == [later.began]
        assert [note.message for note in of(items, Note)] == [
            "1 alerts fired already where the history begins: left out"
        ]
        host.now += timedelta(hours=1)
        assert not of(reader.read(history_days=2), Batch)

    def test_alertmanager_knows_when_what_still_fires_began(self, host: AlertHost, reader: Reader) -> None:
        fired = host.fire(24 * 3)
        items = reader.read(history_days=2)
        assert [each.opened_at for each in reader.incidents] == [fired.began]
        assert not of(items, Note)

    def test_what_was_left_out_counts_once_its_start_is_known(self, host: AlertHost, reader: Reader) -> None:
        fired = host.fire(24 * 3, is_forwarded=False)
        reader.read(history_days=2)
        assert not reader.incidents
        fired.is_forwarded = True
        reader.read(history_days=2)
        assert [(each.opened_at, each.status) for each in reader.incidents] == [(fired.began, "open")]

    def test_what_prometheus_does_not_send_has_no_end_of_its_own(
        self, host: AlertHost, reader: Reader
    ) -> None:
        alert = host.listed(host.fire(3))
        host.fired.clear()
        host.further = [alert]
        reader.read()
        host.further.clear()
        host.now += timedelta(hours=1)
        before = datetime.now(UTC) - timedelta(seconds=3)  # servers tell their time in seconds
        reader.read()
        (incident,) = reader.incidents
        assert incident.resolved_at
        assert incident.resolved_at >= before

    def test_what_alertmanager_is_not_sent_is_known_all_the_same(
        self, host: AlertHost, reader: Reader
    ) -> None:
        host.fire(3, is_forwarded=False)
        reader.read()
        assert [each.status for each in reader.incidents] == ["open"]

    def test_samples_that_come_late_open_it_again(self, host: AlertHost, reader: Reader) -> None:
        fired = host.fire(3, is_forwarded=False)
        fired.ended = host.now - timedelta(minutes=8)
        reader.read()
        assert [each.status for each in reader.incidents] == ["resolved"]
        fired.ended = None
        host.now += timedelta(minutes=1)
        reader.read()
        assert [(each.status, each.resolved_at) for each in reader.incidents] == [("open", None)]

    def test_external_labels_are_part_of_the_alert(self, host: AlertHost, reader: Reader) -> None:
        host.external_labels = {"cluster": "eu"}
        host.fire(3)
        reader.read(external_labels={"cluster": "eu"})
        assert len(reader.incidents) == 1
        reader.loaded = Loaded()
        reader.read()
        assert len(reader.incidents) == 2

    def test_too_many_samples_are_asked_for_in_smaller_windows(self, host: AlertHost, reader: Reader) -> None:
        long = host.fire(100, 10)
        host.most_samples = 400
        items = reader.read()
        assert not of(items, Problem)
        assert [(each.opened_at, each.resolved_at) for each in reader.incidents] == [(long.began, long.ended)]
        host.most_samples = 1
        reader.loaded = Loaded()
        (problem,) = of(reader.read(), Problem)
        assert "too many samples" in problem.message

    def test_days_without_news_move_the_cursor_once(
        self, host: AlertHost, reader: Reader, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(alertmanager_history, "_WINDOW", timedelta(hours=1))
        host.fire(100, 99)
        reader.read()
        asked = len(reader.received)
        assert not of(reader.read(), Batch)
        assert len(reader.received) < 10 < asked
        host.now += timedelta(hours=9)
        assert [len(batch.records) for batch in of(reader.read(), Batch)] == [0]
        assert not of(reader.read(), Batch)

    def test_a_prometheus_that_is_none_is_a_problem_and_nothing_is_covered(
        self, host: AlertHost, reader: Reader
    ) -> None:
        host.fire(1)
        host.is_strange = True
        items = reader.read()
        assert [problem.scope for problem in of(items, Problem)] == ["alerts"]
        assert not scopes(items)


class TestWebhook:
    OPTIONS = AlertmanagerOptions(url="http://alerts.example")

    def payload(self, *alerts: dict[str, Any]) -> dict[str, Any]:
        return {
            "version": "4",
            "groupKey": '{}:{alertname="ErrorRate"}',
            "truncatedAlerts": 0,
            "status": "firing",
            "receiver": "cairn",
            "groupLabels": {},
            "commonLabels": {},
            "commonAnnotations": {},
            "externalURL": "http://alerts.example",
            "alerts": list(alerts),
        }

    def alert(self, **fields: Any) -> dict[str, Any]:
        return {
            "status": "firing",
            "labels": ALERT,
            "annotations": {"summary": "Ada, have a look"},
            "startsAt": "2025-03-03T12:00:00.123456789Z",
            "endsAt": "0001-01-01T00:00:00Z",
            "generatorURL": "http://u:p@prometheus.example/graph?g0.expr=up&token=s3cr3t#x",
            "fingerprint": fingerprint(ALERT),
            **fields,
        }

    def test_what_fires_is_open_and_what_is_resolved_has_its_end(self) -> None:
        resolved = self.alert(status="resolved", endsAt="2025-03-03T13:00:00Z")
        (firing,) = incidents(self.payload(self.alert()), self.OPTIONS)
        (over,) = incidents(self.payload(resolved), self.OPTIONS)
        assert isinstance(firing, Incident)
        assert (firing.status, firing.resolved_at) == ("open", None)
        assert firing.id == f"{fingerprint(ALERT)}:1741003200123"
        assert firing.url == "http://prometheus.example/graph?g0.expr=up"
        assert over == firing._replace(status="resolved", resolved_at=datetime(2025, 3, 3, 13, tzinfo=UTC))

    def test_without_a_fingerprint_it_is_worked_out(self) -> None:
        old = self.alert()
        del old["fingerprint"]
        (found,) = incidents(self.payload(old), self.OPTIONS)
        assert found.id.startswith(fingerprint(ALERT))

    def test_what_no_rule_takes_is_passed_over_and_the_rest_read(self) -> None:
        warning = self.alert(labels={**ALERT, "severity": "warning"})
        found = list(
            incidents(
                self.payload(
                    warning,
                    self.alert(),
                    self.alert(status="resolved", fingerprint="f1"),
                    self.alert(status="odd", fingerprint="f2"),
                    self.alert(startsAt="Ada", fingerprint="f3"),
                ),
                self.OPTIONS,
            )
        )
        assert [type(each) for each in found] == [Incident, Quarantined, Quarantined, Quarantined]
        assert {each.reason for each in found if isinstance(each, Quarantined)} == {
            "endsAt is missing",
            "status is neither firing nor resolved",
            "startsAt is no time",
        }

    def test_nothing_ends_before_it_began(self) -> None:
        (found,) = incidents(
            self.payload(self.alert(status="resolved", endsAt="2025-03-03T11:00:00Z")), self.OPTIONS
        )
        assert isinstance(found, Incident)
        assert found.resolved_at == found.opened_at

    @pytest.mark.parametrize("payload", [None, [], {}, {"version": "3"}, {"version": "4", "alerts": None}])
    def test_what_is_no_webhook_of_its_is_refused(self, payload: Any) -> None:
        with pytest.raises(Malformed):
            list(incidents(payload, self.OPTIONS))

    @pytest.mark.parametrize(
        ("address", "url"),
        [
            ("https://grafana.example/alerting/x/view?orgId=1&auth_token=s", "https://grafana.example/alerting/x/view?orgId=1"),
            ("javascript:alert(1)", None),
            ("http://[", None),
            ("", None),
            (5, None),
        ],
    )  # fmt: skip
    def test_links_hold_no_secret(self, address: Any, url: str | None) -> None:
        (found,) = incidents(self.payload(self.alert(generatorURL=address)), self.OPTIONS)
        assert isinstance(found, Incident)
        assert found.url == url


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
