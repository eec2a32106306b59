"""PagerDuty's incidents, with the times that their log tells.

The log of the whole account names every incident that changed: it costs one request where
nothing did. Incidents opened in a span come in bulk with their log; one opened before, and
changed since, is asked for by itself.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

from pydantic import JsonValue

from connectors.connector import Batch, Item, Quarantined
from connectors.http import Client, NotFound, OffsetPaging, Params
from connectors.pagerduty.feed import LATE, Position, items, listed, spans
from connectors.parallel import interleaved
from connectors.parsing import Malformed, instant, moment, parsed
from connectors.records import Incident
from connectors.snapshot import fields

STREAM = "incident"

_AT_ONCE = 8
_STATUSES = {"triggered": "open", "acknowledged": "acknowledged", "resolved": "resolved"}
_ACKNOWLEDGED = {"acknowledge_log_entry", "acknowledgement_log_entry"}
_RESOLVED = {"resolve_log_entry"}
_SILENT = {
    f"{what}_log_entry"
    for what in (
        "annotate", "assign", "delegate", "escalate", "exhaust_escalation_path", "notify",
        "reach_ack_limit", "reach_trigger_limit", "repeat_escalation_path", "snooze",
    )
}  # fmt: skip
"""Entries that change nothing of an `Incident`."""

_SHA = re.compile(r"[0-9a-f]{7,64}", re.IGNORECASE).fullmatch
_NUMBER = re.compile(r"[#!](\d{1,18})").fullmatch
_ID = re.compile(r"(?=.*\d)[\w./:+-]{1,100}", re.ASCII).fullmatch


class Causes(NamedTuple):
    """Where an incident says what caused it."""

    custom_field: str | None = None
    """Name of a custom field of incidents."""
    alert_detail: str | None = None
    """Name of a detail of an incident's alerts."""


class _Entry(NamedTuple):
    """A log entry, as far as it matters."""

    id: str
    incident: str
    kind: str
    at: datetime
    is_human: bool


class Reading:
    """One reading of the incidents that `is_wanted` takes, by the names of its service and its teams."""

    def __init__(
        self,
        client: Client,
        scope: str,
        *,
        since: datetime | None,
        causes: Causes,
        is_wanted: Callable[[str | None, Sequence[str]], bool],
    ) -> None:
        self._client = client
        self._scope = scope
        self._since = since
        self._causes = causes
        self._is_wanted = is_wanted

    def items(self, cursor: JsonValue) -> Iterator[Item]:
        """What changed since `cursor`, in batches that each move it; raises `HttpError`."""
        state = fields(cursor)
        position = Position.read(state.get(STREAM))
        floor = position.until if position else self._since or self._oldest()
        if floor is None:
            return
        is_ahead = False
        for span in spans(position, floor):
            known = position or Position(floor)
            raw = listed(self._client, "/log_entries", span, {"time_zone": "UTC"}, STREAM)
            opened = listed(self._client, "/incidents", span, {"time_zone": "UTC"}, STREAM)
            entries, malformed = parsed(raw, _entry, STREAM, self._scope, lambda entry: entry["id"])
            named, nameless = parsed(opened, _named, STREAM, self._scope, lambda item: item["id"])
            fresh = dict(named)
            changed = {
                entry.incident for entry in entries if entry.id not in known.recent and _matters(entry)
            }
            changed |= fresh.keys() - known.recent
            malformed = [each for each in malformed + nameless if each.id not in known.recent]
            position = span.after(
                known,
                [
                    *((entry.id, entry.at) for entry in entries),
                    *((id_, _created_at(item)) for id_, item in fresh.items()),
                    *((each.id, None) for each in malformed),
                ],
            )
            log: dict[str, list[_Entry]] = defaultdict(list)
            for entry in entries:
                log[entry.incident].append(entry)
            # A malformed entry may come up twice: in the feed, and in its incident's own log.
            seen = dict.fromkeys([*malformed, *self._read(sorted(changed), fresh, log)])
            records = sorted(each for each in seen if isinstance(each, Incident))
            yield from (each for each in seen if isinstance(each, Quarantined))
            is_ahead |= not span.is_open
            if seen or (span.is_open and is_ahead):
                state, is_ahead = {**state, STREAM: position.written()}, False
                yield Batch(STREAM, self._scope, records, state)

    def _oldest(self) -> datetime | None:
        """A time shortly before the first incident was opened; None where there never was one."""
        params: Params = {"date_range": "all", "sort_by": "created_at:asc", "limit": 1, "time_zone": "UTC"}
        first = items(self._client.get("/incidents", params, stream=STREAM).json(), "incidents")
        opened = min(filter(None, map(_created_at, first)), default=None)
        return opened - LATE if opened else None

    def _read(
        self, changed: Sequence[str], fresh: Mapping[str, Any], log: Mapping[str, Sequence[_Entry]]
    ) -> Iterator[Incident | Quarantined]:
        """The incidents `changed`; of those in `fresh`, opened in the span, `log` holds everything."""
        must_ask = self._causes != Causes()
        alone: list[str] = []
        for id_ in changed:
            if id_ not in fresh or must_ask or id_ not in log:
                alone.append(id_)
            elif self._takes(fresh[id_]):
                yield from self._parsed(fresh[id_], log[id_], None)
        yield from interleaved(
            [partial(self._ask, id_, fresh.get(id_), log.get(id_)) for id_ in alone], _AT_ONCE
        )

    def _ask(self, id_: str, item: Any, log: Sequence[_Entry] | None) -> Iterator[Incident | Quarantined]:
        """One incident, with what is missing of it asked for; nothing where it is gone or not wanted."""
        try:
            if item is None:
                log = None
                body = self._client.get(f"/incidents/{id_}", stream=STREAM).json()
                item = body.get("incident") if isinstance(body, dict) else None
            if not self._takes(item):
                return
            if log is None:
                path = f"/incidents/{id_}/log_entries"
                raw = self._all(path, "log_entries", {"time_zone": "UTC"})
                log, malformed = parsed(raw, _entry, STREAM, self._scope, lambda entry: entry["id"])
                yield from malformed
            cause = self._cause(id_)
        except NotFound:
            return
        yield from self._parsed(item, log, cause)

    def _all(self, path: str, key: str, params: Mapping[str, str] | None = None) -> list[Any]:
        pages = self._client.pages(path, params, stream=STREAM, paging=OffsetPaging())
        return [item for answer in pages for item in items(answer.json(), key)]

    def _takes(self, item: Any) -> bool:
        """Whether an incident is wanted; one that cannot be understood is, to be quarantined."""
        if not isinstance(item, dict):
            return True
        return self._is_wanted(
            _name(item.get("service")), [*filter(None, map(_name, item.get("teams") or []))]
        )

    def _parsed(
        self, item: Any, log: Sequence[_Entry], cause: str | None
    ) -> Iterator[Incident | Quarantined]:
        parse = partial(_incident, log=log, cause=cause)
        records, failed = parsed([item], parse, STREAM, self._scope, lambda item: item["id"])
        yield from records
        yield from failed

    def _cause(self, id_: str) -> str | None:
        """What an incident names as its cause, in the responders' or the alert's words."""
        if self._causes.custom_field:
            for field in self._all_values(id_):
                if field.get("name") == self._causes.custom_field and (found := _text(field.get("value"))):
                    return found
        if self._causes.alert_detail:
            for alert in self._all(f"/incidents/{id_}/alerts", "alerts"):
                if found := _text(_details(alert).get(self._causes.alert_detail)):
                    return found
        return None

    def _all_values(self, id_: str) -> list[dict[str, Any]]:
        try:
            body = self._client.get(f"/incidents/{id_}/custom_fields/values", stream=STREAM).json()
        except NotFound:
            return []
        return [field for field in items(body, "custom_fields") if isinstance(field, dict)]


def _named(item: Any) -> tuple[str, Any]:
    return str(item["id"]), item


def _entry(item: Any) -> _Entry:
    agent = item.get("agent")
    return _Entry(
        str(item["id"]),
        str(item["incident"]["id"]),
        item["type"],
        moment(item["created_at"]),
        # Who is gone from the account is no agent any more; services and integrations are named.
        agent is None or agent["type"].startswith("user"),
    )


def _matters(entry: _Entry) -> bool:
    return entry.kind not in _SILENT


def _incident(item: Any, log: Sequence[_Entry], cause: str | None) -> Incident:
    """An incident from its own fields and all its log.

    One that was merged into another is resolved, from when it was merged.
    """
    status = _STATUSES.get(item["status"])
    if status is None:
        raise Malformed("status is none that is documented")
    acknowledged = [entry.at for entry in log if entry.kind in _ACKNOWLEDGED and entry.is_human]
    if not acknowledged:
        acknowledged = [
            moment(each["at"])
            for each in item.get("acknowledgements") or []
            if str((each.get("acknowledger") or {}).get("type")).startswith("user")
        ]
    resolved_at = None
    if status == "resolved":
        said = instant(item.get("resolved_at")) or instant(item.get("last_status_change_at"))
        resolved_at = max((entry.at for entry in log if entry.kind in _RESOLVED), default=said)
    priority = item.get("priority") or {}
    sha, deployment, change_number = _meaning(cause)
    return Incident(
        id=item["id"],
        service=(item.get("service") or {}).get("id"),
        repository=None,
        severity=priority.get("summary") or priority.get("name") or item.get("urgency"),
        status=status,
        opened_at=moment(item["created_at"]),
        acknowledged_at=min(acknowledged, default=None),
        resolved_at=resolved_at,
        deployment=deployment,
        sha=sha,
        change_number=change_number,
        url=item.get("html_url"),
    )


def _meaning(cause: str | None) -> tuple[str | None, str | None, int | None]:
    """Sha, deployment or number of the change that a cause names: `#12` is a change. Prose is none."""
    if not cause:
        return None, None, None
    if number := _NUMBER(cause):
        return None, None, int(number[1])
    # Numbers alone are a deployment's, unless as long as a sha.
    if _SHA(cause) and (len(cause) >= 40 or not cause.isdigit()):
        return cause.lower(), None, None
    return None, cause if _ID(cause) else None, None


def _details(alert: Any) -> dict[str, Any]:
    body = alert.get("body") if isinstance(alert, dict) else None
    if not isinstance(body, dict):
        return {}
    for holder in (body, body.get("cef_details")):
        details = holder.get("details") if isinstance(holder, dict) else None
        if isinstance(details, dict):
            return details
    return {}


def _text(value: Any) -> str | None:
    """A value, or the first of several, as text without spaces around it."""
    first = value[0] if isinstance(value, list) and value else value
    is_told = isinstance(first, str | int) and not isinstance(first, bool)
    return (str(first).strip() or None) if is_told else None


def _name(reference: Any) -> str | None:
    name = reference.get("summary") if isinstance(reference, dict) else None
    return name if isinstance(name, str) else None


def _created_at(item: Any) -> datetime | None:
    try:
        return instant(item["created_at"])
    except (Malformed, KeyError, TypeError):
        return None
