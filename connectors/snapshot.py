"""Streams that a tool can only be asked for whole: nothing is yielded while they are as before."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from pydantic import JsonValue

from connectors.connector import Batch, Item, Quarantined
from connectors.records import Record


class Seen(NamedTuple):
    """All there is of one stream in one scope."""

    stream: str
    records: Sequence[Record]
    quarantined: Sequence[Quarantined] = ()


def changes(scope: str, cursor: JsonValue, seen: Iterable[Seen]) -> Iterator[Item]:
    """Yield the streams that are not as `cursor` knows them, each whole and with the cursor it moves to.

    The cursor holds a digest per stream.
    """
    state = fields(cursor)
    for stream, records, quarantined in seen:
        now = digest([*records, *quarantined])
        if state.get(stream) == now:
            continue
        state = {**state, stream: now}
        yield from quarantined
        yield Batch(stream, scope, records, state, is_whole=True)


def digest(values: Iterable[object]) -> str:
    """Of records and the like, in whatever order."""
    return hashlib.sha256("\n".join(sorted(map(repr, values))).encode("utf-8", "surrogatepass")).hexdigest()[
        :32
    ]


def fields(cursor: JsonValue) -> Mapping[str, JsonValue]:
    """The fields of a cursor; none where there is none, or one of another make."""
    return cursor if isinstance(cursor, dict) else {}
