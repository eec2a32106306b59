"""PagerDuty's change events: what was announced to have changed in a service."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import SplitResult, urlsplit

from pydantic import JsonValue

from connectors.connector import Batch, Item
from connectors.http import Client
from connectors.pagerduty.feed import Position, listed, spans
from connectors.parsing import moment, parsed
from connectors.records import ChangeEvent
from connectors.snapshot import fields

STREAM = "change_event"

_SHA_NAMES = {"sha", "commit", "commitsha", "commitid", "gitsha", "gitcommit", "headsha", "revision"}
_SHA = re.compile(r"[0-9a-f]{7,64}", re.IGNORECASE).fullmatch
_COMMIT_PATH = re.compile(r"/commits?/([0-9a-f]{7,64})/?$", re.IGNORECASE).search
_NUMBERED = re.compile(
    r"/(?:commits?|pull|pulls|pull-requests|merge_requests|runs|pipelines|jobs|builds|deployments)"
    r"/(?:\d{1,18}|[0-9a-f]{7,64})/?",
    re.IGNORECASE,
).search
"""What a link may name by number; other links may name branches, and those people."""


def read(
    client: Client, scope: str, cursor: JsonValue, floor: datetime, is_taken: Callable[[str], bool]
) -> Iterator[Item]:
    """What was announced since `cursor`, else `floor`; `is_taken` asks by service id; raises `HttpError`."""
    state = fields(cursor)
    position = Position.read(state.get(STREAM))
    is_ahead = False
    for span in spans(position, floor):
        known = position or Position(floor)
        raw = listed(client, "/change_events", span, {}, STREAM)
        found, failed = parsed(raw, _events, STREAM, scope, lambda item: item["id"])
        events = [event for group in found for event in group]
        news = [each for each in events if each.id not in known.recent and is_taken(each.service or "")]
        failed = [each for each in failed if each.id not in known.recent]
        dated = [(each.id, each.happened_at) for each in events] + [(each.id, None) for each in failed]
        position = span.after(known, dated)
        is_ahead |= not span.is_open
        if news or failed or (span.is_open and is_ahead):
            yield from failed
            state, is_ahead = {**state, STREAM: position.written()}, False
            yield Batch(STREAM, scope, news, state)


def _events(item: Any) -> list[ChangeEvent]:
    """One per service: most announcements are of one alone."""
    services = [service["id"] for service in item.get("services") or []] or [None]
    links = [*filter(None, (_link(link.get("href")) for link in item.get("links") or []))]
    event = ChangeEvent(
        str(item["id"]), services[0], moment(item["timestamp"]), _sha(item, links), _url(links)
    )
    further = [event._replace(id=f"{event.id}:{service}", service=service) for service in services[1:]]
    return [event, *further]


def _link(address: Any) -> SplitResult | None:
    try:
        url = urlsplit(address) if isinstance(address, str) else None
    except ValueError:
        return None
    return url if url and url.scheme in {"http", "https"} and url.hostname else None


def _sha(item: Any, links: Sequence[SplitResult]) -> str | None:
    details = item.get("custom_details")
    for name, value in details.items() if isinstance(details, dict) else ():
        plain = re.sub(r"[^a-z]", "", name.lower())
        if plain in _SHA_NAMES and isinstance(value, str) and _SHA(value):
            return value.lower()
    matches = filter(None, (_COMMIT_PATH(link.path) for link in links))
    return next((match[1].lower() for match in matches), None)


def _url(links: Sequence[SplitResult]) -> str | None:
    """The first link to a commit, change, run or deployment, without what may be secret in it."""
    for link in links:
        if path := _NUMBERED(link.path):
            host = link.netloc.rpartition("@")[2]
            return f"{link.scheme}://{host}{link.path[: path.end()].rstrip('/')}"
    return None
