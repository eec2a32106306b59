"""From a cell of a file to the value of a field: text, number, yes or no, time, list.

Each function takes what a cell holds, which is text in a CSV file and may be anything in the others, gives
None for an empty cell and raises `Malformed` for what is no such value.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, tzinfo
from decimal import Decimal
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from connectors.files.fields import LIST
from connectors.parsing import Malformed, instant

Convert = Callable[[Any], Any]

_YES = {"true", "t", "yes", "y", "on", "1"}
_NO = {"false", "f", "no", "n", "off", "0"}
_WHOLE_NUMBER = re.compile(r"([+-]?\d{1,19})(?:\.0*)?").fullmatch
_SECONDS = re.compile(r"\d{9,}(?:\.\d+)?").fullmatch
_LARGEST = 2**63
_FIRST_MILLISECOND = 1e11
"""As seconds it would be in the year 5138; as milliseconds it is in 1973."""
_NO_TEXT = re.compile("[\0\ud800-\udfff]").search


def converter(
    type_: object, *, format_: str | None = None, timezone: str = "UTC", separator: str = ","
) -> Convert:
    """What turns a cell into a value of a `Field.type`."""
    if type_ is datetime:
        return partial(_time, format_=format_, zone=UTC if timezone == "UTC" else ZoneInfo(timezone))
    if type_ == LIST:
        return partial(_texts, separator=separator)
    by_type: dict[object, Convert] = {str: text, int: _number, bool: _yes_or_no}
    return by_type[type_]


def text(cell: object) -> str | None:
    """Text without space around it; a number as it is written."""
    if isinstance(cell, str):
        if _NO_TEXT(cell):
            raise Malformed("holds a character that is no text")
        return cell.strip() or None
    if cell is None:
        return None
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float | Decimal):
        if math.isnan(cell):  # as some export the empty cells of a numeric column
            return None
        # Tools that know no missing integer write ids as 17.0.
        return str(int(cell)) if math.isfinite(cell) and cell == int(cell) else str(cell)
    if isinstance(cell, int | date):
        return str(cell)
    raise Malformed("is no text")


def _number(cell: object) -> int | None:
    said = text(cell)
    if said is None:
        return None
    match = _WHOLE_NUMBER(said)
    if match is None or not -_LARGEST <= (number := int(match[1])) < _LARGEST:
        raise Malformed("is no whole number")
    return number


def _yes_or_no(cell: object) -> bool | None:
    if isinstance(cell, bool):
        return cell
    said = text(cell)
    if said is None:
        return None
    word = said.casefold()
    if word not in _YES | _NO:
        raise Malformed("is neither yes nor no")
    return word in _YES


def _texts(cell: object, separator: str) -> tuple[str, ...] | None:
    if isinstance(cell, str) and cell.lstrip().startswith("["):
        try:
            cell = json.loads(cell)
        except (ValueError, RecursionError):
            raise Malformed("is no JSON list") from None
    if not isinstance(cell, list | tuple):
        said = text(cell)
        cell = said.split(separator) if said else []
    return tuple(word for word in map(text, cell) if word) or None


def _time(cell: object, format_: str | None, zone: tzinfo) -> datetime | None:
    if isinstance(cell, datetime):
        at = cell
    elif isinstance(cell, date):
        at = datetime.combine(cell, time())
    else:
        said = text(cell)
        if said is None:
            return None
        at = _said_time(said, format_)
    try:
        at = (at.replace(tzinfo=zone) if at.tzinfo is None else at).astimezone(UTC)
    except (OverflowError, ValueError):  # at the ends of the calendar
        raise Malformed("is no time") from None
    return instant(at.isoformat())


def _said_time(said: str, format_: str | None) -> datetime:
    try:
        if format_ is not None:
            return datetime.strptime(said, format_)  # noqa: DTZ007 - the zone is added to what has none
        if _SECONDS(said):
            seconds = float(said)
            return datetime.fromtimestamp(seconds if seconds < _FIRST_MILLISECOND else seconds / 1000, UTC)
        return datetime.fromisoformat(said.removesuffix(" UTC") + "Z" if said.endswith(" UTC") else said)
    except (OverflowError, ValueError, OSError):
        shape = f" as {format_} writes it" if format_ is not None else ""
        raise Malformed(f"is no time{shape}") from None


def word(said: Any, words: tuple[str, ...]) -> Any:
    """`said` as one of `words`, whatever the case; as it is where there are none."""
    if not words:
        return said
    if said.casefold() not in words:
        raise Malformed(f"is none of {', '.join(words)}")
    return said.casefold()
