"""What a record's fields take: their types, read off the record, and the words some are limited to."""

from __future__ import annotations

import types
import typing
from datetime import datetime
from functools import cache
from typing import NamedTuple

from connectors.records import RESULTS, STREAMS

LIST = tuple[str, ...]

_PERSONS = {
    ("commit", "author"),
    ("pull_request", "author"),
    ("membership", "person"),
    ("identity", "alias"),
    ("identity", "person"),
}
_BRANCHES = {("pull_request", "base_ref"), ("pipeline_run", "branch"), ("deployment", "ref")}
_WORDS: dict[tuple[str, str], tuple[str, ...]] = {
    ("commit", "kind"): ("merge", "revert", "fix", "change"),
    ("ref", "kind"): ("branch", "tag"),
    ("pull_request", "kind"): ("revert", "fix", "change"),
    ("pipeline_run", "result"): RESULTS,
    ("job", "result"): RESULTS,
    ("deployment", "status"): RESULTS,
    ("incident", "status"): ("open", "acknowledged", "resolved"),
    ("capability_use", "subject_kind"): ("service", "team", "person", "repository"),
    ("capability_use", "kind"): ("used", "present", "absent"),
    ("capability_use", "result"): RESULTS,
    ("capability_state", "subject_kind"): ("service", "team", "repository"),
}


class Field(NamedTuple):
    """A field of a record."""

    name: str
    type: object
    """`str`, `int`, `bool`, `datetime` or `LIST`."""
    is_optional: bool
    """May be None; a list may be empty."""
    is_person: bool
    is_branch: bool
    """Names a branch, or a tag."""
    words: tuple[str, ...]
    """All it may say; empty where it may say anything."""


@cache
def fields(stream: str) -> dict[str, Field]:
    """The fields of a stream's record by name, in its order."""
    return {name: _field(stream, name, hint) for name, hint in typing.get_type_hints(STREAMS[stream]).items()}


def _field(stream: str, name: str, hint: object) -> Field:
    is_optional = isinstance(hint, types.UnionType)
    (base,) = [a for a in typing.get_args(hint) if a is not types.NoneType] if is_optional else [hint]
    assert base in (str, int, bool, datetime, LIST), f"{stream}.{name} is of a type no file can hold"
    place = stream, name
    return Field(
        name, base, is_optional or base == LIST, place in _PERSONS, place in _BRANCHES, _WORDS.get(place, ())
    )
