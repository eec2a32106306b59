"""Which alerts are known to fire, from one reading to the next, and which incidents that makes or ends."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from pydantic import JsonValue

from connectors.alertmanager.alerts import Alert, Rule, fingerprint, incident, named
from connectors.alertmanager.history import LATE, Window, gap
from connectors.parsing import Malformed, moment
from connectors.records import Incident
from connectors.snapshot import fields


class _Known(NamedTuple):
    """A firing that an earlier reading, or this one, has heard of."""

    id: str
    alert: Alert
    seen_at: datetime
    """Last time it was known to fire."""
    sampled_at: datetime | None = None
    """Its last sample, where Prometheus is asked."""
    step: timedelta | None = None
    resolved_at: datetime | None = None
    is_undated: bool = False
    """It fired already where the history begins: no incident, as its start is unknown."""

    def incident(self) -> Incident:
        return incident(self.alert, self.alert.started_at, self.resolved_at, self.id)


class Firings:
    """What is known of alerts; kept in a cursor in between."""

    def __init__(self, kept: JsonValue) -> None:
        self._known = {known.id: known for known in _read(kept)}
        self._told = {known.id: known.incident() for known in self._known.values()}
        self._listed: set[str] = set()

    def listed(self, alerts: Iterable[Alert], at: datetime) -> None:
        """Take in what Alertmanager lists at a time.

        It moves the start of an alert back where another Prometheus has seen it earlier: the
        incident stays the same.
        """
        for alert in sorted(alerts, key=lambda alert: (alert.fingerprint, alert.started_at)):
            id_ = alert.id
            if id_ not in self._known:
                going_on = self._going_on(alert.fingerprint)
                if going_on and alert.started_at <= going_on.alert.started_at:
                    id_ = going_on.id
            known = self._known.get(id_, _Known(id_, alert, at))
            ended_at = alert.ended_at if alert.ended_at and alert.ended_at <= at else None
            url = known.alert.url or alert.url
            self._known[id_] = known._replace(
                alert=known.alert._replace(started_at=alert.started_at, url=url),
                seen_at=ended_at or at,
                resolved_at=ended_at,
                is_undated=False,
            )
            self._listed.add(id_)

    def sampled(self, window: Window, rules: Sequence[Rule], *, is_first: bool) -> None:
        """Take in what Prometheus has seen; of the first window the beginnings are unknown."""
        for firing in window.firings:
            rule = next((rule for rule in rules if rule.takes(firing.labels)), None)
            if rule is None:
                continue
            slack = gap(firing.step)
            alert = Alert(
                fingerprint(firing.labels), firing.began_at, None, *named(firing.labels, rule), url=None
            )
            known = self._of(alert, firing.last_at, slack)
            if known is None:
                is_undated = is_first and firing.began_at <= window.since + slack
                known = _Known(alert.id, alert, firing.last_at, is_undated=is_undated)
            has_gone_on = known.sampled_at is None or firing.last_at > known.sampled_at
            self._known[known.id] = known._replace(
                seen_at=max(known.seen_at, firing.last_at),
                sampled_at=max(known.sampled_at or firing.last_at, firing.last_at),
                step=firing.step or known.step,
                resolved_at=None if has_gone_on and known.id not in self._listed else known.resolved_at,
            )

    def settle(self, until: datetime, ended_by: datetime | None) -> None:
        """Resolve what fires no more: what has had no sample for too long before `until`, and the rest of
        what Alertmanager no longer lists at the latest when it fired anew, or at `ended_by`."""
        for known in list(self._known.values()):
            if known.id in self._listed or known.resolved_at:
                continue
            if known.sampled_at is not None:
                if known.sampled_at + gap(known.step) < until:
                    over_at = known.sampled_at + (known.step or timedelta())
                    self._known[known.id] = known._replace(resolved_at=over_at)
            elif ended_by:
                started = (
                    other.alert.started_at
                    for other in self._known.values()
                    if other.alert.fingerprint == known.alert.fingerprint
                    and other.alert.started_at > known.alert.started_at
                )
                self._known[known.id] = known._replace(resolved_at=min([ended_by, *started]))

    def news(self) -> list[Incident]:
        """The incidents that are not as they were told last."""
        now = {known.id: known.incident() for known in self._known.values() if not known.is_undated}
        news = [incident for id_, incident in sorted(now.items()) if self._told.get(id_) != incident]
        self._told |= {each.id: each for each in news}
        return news

    def forget(self, until: datetime | None) -> None:
        """Drop what is over for good: before the samples that are asked for again, where they are."""
        self._known = {
            known.id: known
            for known in self._known.values()
            if known.id in self._listed
            or known.resolved_at is None
            or (until is not None and known.resolved_at >= until - 2 * LATE)
        }

    @property
    def undated(self) -> int:
        """How many fired already where the history begins."""
        return sum(known.is_undated for known in self._known.values())

    def written(self) -> dict[str, JsonValue]:
        """For a cursor."""
        return {known.id: _written(known) for known in self._known.values()}

    def _going_on(self, fingerprint: str) -> _Known | None:
        same = [
            known
            for known in self._known.values()
            if known.alert.fingerprint == fingerprint and known.resolved_at is None
        ]
        return max(same, key=lambda known: known.alert.started_at, default=None)

    def _of(self, alert: Alert, last_at: datetime, slack: timedelta) -> _Known | None:
        """The known firing of the same alert at the same time, if there is one."""
        same = [
            known
            for known in self._known.values()
            if known.alert.fingerprint == alert.fingerprint
            and known.alert.started_at <= last_at + slack
            and alert.started_at <= (known.sampled_at or known.seen_at) + slack
        ]
        return max(same, key=lambda known: known.alert.started_at, default=None)


def _written(known: _Known) -> JsonValue:
    alert = known.alert
    times = {
        "started_at": alert.started_at,
        "seen_at": known.seen_at,
        "sampled_at": known.sampled_at,
        "resolved_at": known.resolved_at,
    }
    return {
        "fingerprint": alert.fingerprint,
        "service": alert.service,
        "severity": alert.severity,
        "url": alert.url,
        "step_seconds": known.step.total_seconds() if known.step else None,
        "is_undated": known.is_undated,
        **{name: at.isoformat() if at else None for name, at in times.items()},
    }


def _read(kept: JsonValue) -> list[_Known]:
    """What a cursor holds; what it holds of another make is left out."""
    found = []
    for id_, value in fields(kept).items():
        held = fields(value)
        try:
            found.append(_one(id_, held))
        except (Malformed, KeyError, TypeError):
            continue
    return found


def _one(id_: str, held: Mapping[str, JsonValue]) -> _Known:
    step = held["step_seconds"]
    started_at, seen_at = _time(held["started_at"]), _time(held["seen_at"])
    if started_at is None or seen_at is None:
        raise Malformed("a time is missing")
    return _Known(
        id_,
        Alert(
            str(held["fingerprint"]),
            started_at,
            None,
            _text(held["service"]),
            _text(held["severity"]),
            _text(held["url"]),
        ),
        seen_at,
        _time(held["sampled_at"]),
        timedelta(seconds=step) if isinstance(step, int | float) else None,
        _time(held["resolved_at"]),
        held["is_undated"] is True,
    )


def _time(value: JsonValue) -> datetime | None:
    return moment(value) if isinstance(value, str) else None


def _text(value: JsonValue) -> str | None:
    return value if isinstance(value, str) else None
