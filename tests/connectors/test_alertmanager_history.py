"""What Prometheus remembers of the alerts, and the rules that say what they mean."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from connectors.alertmanager import history as alertmanager_history
from connectors.alertmanager.alerts import fingerprint
from connectors.alertmanager.connector import AlertmanagerOptions, scope_of
from connectors.connector import Batch, Note, Problem
from tests.connectors import alertmanager_reader
from tests.connectors.alertmanager_host import AlertHost
from tests.connectors.alertmanager_reader import Reader, of
from tests.connectors.contract import Loaded, scopes

host, reader = alertmanager_reader.host, alertmanager_reader.reader


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
