"""Records of what a tool answered: what cannot be understood is quarantined, the rest goes on."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, TypeVar

from connectors.connector import Quarantined

R = TypeVar("R")

_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = datetime(2200, 1, 1, tzinfo=UTC)
_ZERO = "0001-01-01T00:00:00"


class Malformed(ValueError):
    """An item that cannot be understood. `str()` says why and quotes nothing of what the tool said.

    `value`, where given, is what was wrong: the reason then names the field that holds it.
    """

    def __init__(self, reason: str, value: object = None) -> None:
        super().__init__(reason)
        self.value = value


def instant(text: str | None) -> datetime | None:
    """The moment that an ISO-8601 text names, in UTC; None for none and for Go's zero time.

    Raises `Malformed` for what is no time, has no offset, or lies before 1970 or after 2199.
    """
    if text is None:
        return None
    try:
        if text.startswith(_ZERO):
            return None
        at = datetime.fromisoformat(text)
        if at.tzinfo is not None:
            at = at.astimezone(UTC)
    except (AttributeError, OverflowError, TypeError, ValueError):
        raise Malformed("is no time", text) from None
    if at.tzinfo is None:
        raise Malformed("is a time without an offset", text)
    if not _EARLIEST <= at < _LATEST:
        raise Malformed("is a time before 1970 or after 2199", text)
    return at


def moment(text: str) -> datetime:
    """As `instant`, of a time that must be there."""
    at = instant(text)
    if at is None:
        raise Malformed("a time is missing")
    return at


def parsed(
    items: Iterable[Any],
    parse: Callable[[Any], R],
    stream: str,
    scope: str,
    identify: Callable[[Any], object],
) -> tuple[list[R], list[Quarantined]]:
    """What `parse` makes of each item, and the items it cannot make anything of.

    `parse` may raise `Malformed`, `KeyError` (of a field's name alone: it is shown), `TypeError`,
    `ValueError` and `AttributeError`; the first two are quoted in the reason, the others are not,
    for they may hold what the item holds. `identify` gives the item's id, which must not be personal.
    """
    made: list[R] = []
    failed: list[Quarantined] = []
    for item in items:
        try:
            made.append(parse(item))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            failed.append(Quarantined(stream, scope, _id(item, identify), _reason(item, error)))
    return made, failed


def _id(item: Any, identify: Callable[[Any], object]) -> str:
    try:
        return str(identify(item))
    except (KeyError, TypeError, ValueError, AttributeError, LookupError):
        return "without an id"


def _reason(item: Any, error: Exception) -> str:
    if isinstance(error, Malformed):
        name = None if error.value is None else _field(item, error.value)
        return f"{name} {error}" if name else str(error)
    if isinstance(error, KeyError) and error.args and isinstance(error.args[0], str):
        return f"{error.args[0]} is missing"
    if not isinstance(item, dict):
        return "is no object"
    return "a field is missing or of another type than documented"


def _field(item: Any, value: object) -> str | None:
    """Name of the field of `item`, at any depth, that holds this very `value`."""
    return next((name for name, held in _fields(item) if held is value), None)


def _fields(item: Any, name: str = "") -> Iterator[tuple[str, object]]:
    if isinstance(item, dict):
        for key, value in item.items():
            yield str(key), value
            yield from _fields(value, str(key))
    elif isinstance(item, list):
        for value in item:
            yield name, value
            yield from _fields(value, name)


_KIND = re.compile(
    r'(?P<revert>revert(?: "|(?:\([^)]*\))?!?:))|(?:fix|hotfix|bugfix)(?:\([^)]*\))?!?:', re.IGNORECASE
).match


def kind_of_change(title: str) -> str:
    """`revert`, `fix` or `change`, as the title of a pull request says by convention."""
    match = _KIND(title)
    return "change" if match is None else "revert" if match["revert"] else "fix"
