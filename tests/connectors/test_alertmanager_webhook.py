"""Webhooks as Alertmanager writes them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.alertmanager.alerts import fingerprint
from connectors.alertmanager.connector import AlertmanagerOptions, incidents
from connectors.connector import Quarantined
from connectors.parsing import Malformed
from connectors.records import Incident
from tests.connectors.alertmanager_host import ALERT


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
