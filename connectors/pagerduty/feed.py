"""PagerDuty's lists by time: read span after span, each whole, and gone on from where they ended.

What is behind `Position.until` has been read. A list is asked again for the minutes before it,
as entries may come late; those known from there are remembered by their ids.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from pydantic import JsonValue

from connectors.http import Client, HttpError, OffsetPaging
from connectors.parsing import Malformed, moment

LATE = timedelta(minutes=10)
"""How long after its time an entry may show up in a list."""
SPAN = timedelta(days=90)
"""Of one step; PagerDuty allows for six months."""
SKEW = timedelta(days=1)
"""How far PagerDuty's clock and ours may be apart."""

_PER_PAGE = 100
_LONGEST = 10_000
"""Items that PagerDuty pages through; of more it wants a shorter span."""
_SHORTEST = timedelta(seconds=4)


class Position(NamedTuple):
    """How far a list has been read."""

    until: datetime
    """Nothing at or before it is new, but for what came late."""
    recent: frozenset[str] = frozenset()
    """Ids of what is known from the last minutes before it."""

    @classmethod
    def read(cls, state: JsonValue) -> Position | None:
        """From a cursor; None where it holds none."""
        if not isinstance(state, dict):
            return None
        until, recent = state.get("until"), state.get("recent")
        if not isinstance(until, str) or not isinstance(recent, list):
            return None
        try:
            return cls(moment(until), frozenset(map(str, recent)))
        except Malformed:
            return None

    def written(self) -> dict[str, JsonValue]:
        """For a cursor."""
        return {"until": self.until.isoformat(), "recent": [*sorted(self.recent)]}


class Span(NamedTuple):
    """A stretch of time to ask for."""

    since: datetime
    until: datetime
    is_open: bool
    """It reaches beyond what has happened: only what was seen in it says how far it was read."""

    def after(self, position: Position, dated: Iterable[tuple[str, datetime | None]]) -> Position:
        """Where to go on from once this span's entries, as (id, time), are dealt with."""
        entries = list(dated)
        until = max([position.until, *(at for _, at in entries if at)]) if self.is_open else self.until
        # An entry without a time cannot be left behind by time.
        return Position(until, frozenset(id_ for id_, at in entries if at is None or at >= until - LATE))


def spans(start: Position | None, floor: datetime) -> Iterator[Span]:
    """What to ask for, one after another: from the position, or without one from `floor`."""
    end = datetime.now(UTC) + SKEW
    reached = floor if start is None else start.until
    since = reached if start is None else reached - LATE
    while (until := reached + SPAN) < end - 2 * SKEW:
        yield Span(since, until, is_open=False)
        reached, since = until, until - LATE
    yield Span(since, max(end, reached), is_open=True)


def listed(
    client: Client, path: str, span: Span, params: Mapping[str, str | list[str]], stream: str
) -> list[Any]:
    """Everything the list at `path` holds in a span, each once; raises `HttpError`.

    The key of the items is the path's own name.
    """
    asked = {"since": _text(span.since), "until": _text(span.until), "total": "true", **params}
    found: dict[object, Any] = {}
    for answer in client.pages(path, asked, stream=stream, paging=OffsetPaging(_PER_PAGE)):
        body = answer.json()
        for number, item in enumerate(items(body, path.strip("/"))):
            id_ = item.get("id") if isinstance(item, dict) else None
            found[id_ if isinstance(id_, str) else (len(found), number)] = item
        total = body.get("total")
        is_too_long = isinstance(total, int) and total > _LONGEST
        if is_too_long or (body.get("more") and len(found) >= _LONGEST - _PER_PAGE):
            return _halves(client, path, span, params, stream)
    return list(found.values())


def items(body: Any, key: str) -> list[Any]:
    """The list in an answer; raises `HttpError` where there is none."""
    held = body.get(key) if isinstance(body, dict) else None
    if isinstance(held, list):
        return held
    raise HttpError(f"An answer holds no {key}", "Check that the address is that of PagerDuty's API.")


def _halves(
    client: Client, path: str, span: Span, params: Mapping[str, str | list[str]], stream: str
) -> list[Any]:
    if span.until - span.since < _SHORTEST:
        raise HttpError(
            f"PagerDuty lists more than {_LONGEST} {path.strip('/')} within seconds",
            "Report it to PagerDuty.",
        )
    # Whole seconds, as they are asked for: the halves share one, so that none falls between them.
    middle = (span.since + (span.until - span.since) / 2).replace(microsecond=0)
    first = listed(client, path, span._replace(until=middle + timedelta(seconds=1)), params, stream)
    known = {item["id"] for item in first if isinstance(item, dict) and isinstance(item.get("id"), str)}
    second = listed(client, path, span._replace(since=middle), params, stream)
    return first + [item for item in second if not (isinstance(item, dict) and item.get("id") in known)]


def _text(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
