"""Prometheus' alerts, from Alertmanager's API or its webhook: which are incidents, and of which service."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit

from pydantic import BaseModel, ConfigDict, field_validator

from connectors.connector import Quarantined
from connectors.parsing import Malformed, instant, moment, parsed
from connectors.records import Incident

STREAM = "incident"

_FNV_OFFSET, _FNV_PRIME = 0xCBF29CE484222325, 0x100000001B3
_SEPARATOR = b"\xff"
_KEPT_PARAMETER = re.compile(r"g\d+\.\w+|orgId").fullmatch
"""Of a link into Prometheus or Grafana; others may be secret."""


class Rule(BaseModel):
    """Which alerts are incidents, and what they say of it."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    match: dict[str, str]
    """Label → regular expression that its whole value matches; a label that an alert lacks is empty."""
    service: str | None = None
    """The affected service, where it is always the same."""
    service_labels: tuple[str, ...] = ("service", "job")
    """Labels that name the affected service: the first that an alert has."""
    severity_label: str = "severity"

    @field_validator("match")
    @classmethod
    def _are_patterns(cls, match: dict[str, str]) -> dict[str, str]:
        for label, pattern in match.items():
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"the pattern of {label} is no regular expression: {error}") from None
        return match

    def takes(self, labels: Mapping[str, str]) -> bool:
        return all(re.fullmatch(pattern, labels.get(label, "")) for label, pattern in self.match.items())


class Alert(NamedTuple):
    """One firing of an alert that is an incident."""

    fingerprint: str
    """Of its labels, as Alertmanager makes it."""
    started_at: datetime
    ended_at: datetime | None
    """May lie ahead: then it is when the alert ends unless it is sent again."""
    service: str | None
    severity: str | None
    url: str | None

    @property
    def id(self) -> str:
        """The same, to the millisecond of Prometheus' samples, wherever the alert was heard of."""
        return f"{self.fingerprint}:{(self.started_at - _EPOCH) // _MILLISECOND}"


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def read(raw: Any, rules: Sequence[Rule]) -> Alert | None:
    """An alert in the API's or the webhook's words; None where no rule takes it. Annotations are dropped.

    Raises what `connectors.parsing.parsed` takes.
    """
    labels = raw["labels"]
    if not isinstance(labels, dict) or not all(isinstance(each, str) for each in labels.values()):
        raise Malformed("labels is no object of texts")
    rule = next((rule for rule in rules if rule.takes(labels)), None)
    if rule is None:
        return None
    # Webhooks before 0.19 have none.
    known = raw.get("fingerprint")
    return Alert(
        known if isinstance(known, str) and known else fingerprint(labels),
        moment(raw["startsAt"]),
        instant(raw.get("endsAt")),
        *named(labels, rule),
        _link(raw.get("generatorURL")),
    )


def named(labels: Mapping[str, str], rule: Rule) -> tuple[str | None, str | None]:
    """The service and the severity of an alert that a rule takes."""
    found = next((labels[label] for label in rule.service_labels if labels.get(label)), None)
    return rule.service or found, labels.get(rule.severity_label) or None


def fingerprint(labels: Mapping[str, str]) -> str:
    """Alertmanager's id of a set of labels: FNV-1a, 64 bits, hex."""
    value = _FNV_OFFSET
    for name in sorted(labels):
        for byte in name.encode() + _SEPARATOR + labels[name].encode() + _SEPARATOR:
            value = ((value ^ byte) * _FNV_PRIME) & 0xFFFFFFFFFFFFFFFF
    return f"{value:016x}"


def identity(raw: Any) -> str:
    """What names an alert in the quarantine."""
    return str(raw["fingerprint"])


def incidents(payload: Any, rules: Sequence[Rule], scope: str) -> Iterator[Incident | Quarantined]:
    """What a webhook of Alertmanager tells; raises `Malformed` where it is none of its version 4."""
    if not isinstance(payload, dict) or payload.get("version") != "4":
        raise Malformed("is no webhook of Alertmanager in version 4")
    alerts = payload.get("alerts")
    if not isinstance(alerts, list):
        raise Malformed("alerts is no list")
    found, failed = parsed(alerts, lambda raw: _told(raw, rules), STREAM, scope, identity)
    yield from (incident for incident in found if incident)
    yield from failed


def _told(raw: Any, rules: Sequence[Rule]) -> Incident | None:
    alert = read(raw, rules)
    if alert is None:
        return None
    if raw["status"] not in {"firing", "resolved"}:
        raise Malformed("status is neither firing nor resolved")
    is_over = raw["status"] == "resolved"
    if is_over and alert.ended_at is None:
        raise Malformed("endsAt is missing")
    return incident(alert, alert.started_at, alert.ended_at if is_over else None)


def incident(alert: Alert, opened_at: datetime, resolved_at: datetime | None, id_: str = "") -> Incident:
    """The incident that an alert is."""
    return Incident(
        id=id_ or alert.id,
        service=alert.service,
        repository=None,
        severity=alert.severity,
        status="resolved" if resolved_at else "open",
        opened_at=opened_at,
        acknowledged_at=None,
        # Clocks differ: nothing ends before it began.
        resolved_at=max(resolved_at, opened_at) if resolved_at else None,
        deployment=None,
        sha=None,
        change_number=None,
        url=alert.url,
    )


def _link(address: Any) -> str | None:
    """Where the alert comes from, without what may be secret in it."""
    try:
        url = urlsplit(address) if isinstance(address, str) else None
    except ValueError:
        return None
    if url is None or url.scheme not in {"http", "https"} or not url.hostname:
        return None
    query = urlencode([(name, value) for name, value in parse_qsl(url.query) if _KEPT_PARAMETER(name)])
    host = url.netloc.rpartition("@")[2]
    return f"{url.scheme}://{host}{url.path}" + (f"?{query}" if query else "")
