"""What a person sent, as answers: checked, cleaned, and only to what is asked of them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from surveys.instruments import NOT_APPLICABLE, Instrument, Item, Page, Value

MOST_CHARACTERS = 4000
"""Of a comment."""


@dataclass(frozen=True)
class Problem:
    """Why what was sent to an item is no answer."""

    item: Item
    key: Literal["unknown_value", "too_long"]
    """Of the words that say so."""
    length: int = 0
    """Characters, where there are too many."""


@dataclass
class Reading:
    """What was sent for the items of a page."""

    answers: dict[str, Value] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    typed: dict[str, Value] = field(default_factory=dict)
    """What the page shows again: the answers, and comments that are too long."""


def field_name(item: Item) -> str:
    """The name of the item's form field."""
    return f"item-{item.id}"


def read(items: Iterable[Item], fields: Mapping[str, str]) -> Reading:
    """The answers in `fields`; what belongs to none of `items` is left out."""
    reading = Reading()
    for item in items:
        sent = fields.get(field_name(item), "")
        value = _comment(sent) if item.scale is None else _choices(item).get(sent)
        if value is None:
            if sent:
                reading.problems.append(Problem(item, "unknown_value"))
        elif isinstance(value, str) and len(value) > MOST_CHARACTERS:
            reading.problems.append(Problem(item, "too_long", len(value)))
            reading.typed[item.id] = value
        elif value != "":
            reading.answers[item.id] = reading.typed[item.id] = value
    return reading


def asked(instrument: Instrument, answers: Mapping[str, object]) -> dict[str, Value]:
    """Of `answers` those to items that are asked, given the answers before them."""
    kept: dict[str, Value] = {}
    for item in instrument.items:
        value = answers.get(item.id)
        if isinstance(value, int | str) and is_shown(item, kept):
            kept[item.id] = value
    return kept


def is_shown(item: Item, answers: Mapping[str, object]) -> bool:
    """Whether the item is asked of someone whose `answers` are all to items that are."""
    return item.show_if is None or answers.get(item.show_if.item) in item.show_if.values


def shown_pages(instrument: Instrument, answers: Mapping[str, object]) -> list[tuple[int, Page]]:
    """The pages with something to ask, with their numbers (from 1), and only what they ask."""
    pages = [
        (number, page.model_copy(update={"items": tuple(i for i in page.items if is_shown(i, answers))}))
        for number, page in enumerate(instrument.pages, start=1)
    ]
    return [(number, page) for number, page in pages if page.items]


def _choices(item: Item) -> dict[str, Value]:
    values: list[Value] = [*(item.scale.values if item.scale else ())]
    if item.dont_know:
        values.append(NOT_APPLICABLE)
    return {str(value): value for value in values}


def _comment(sent: str) -> str:
    """Composed, with plain line ends, and without the control characters that no person types."""
    lines = unicodedata.normalize("NFC", sent).replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
    return "".join(c for c in lines if c == "\n" or unicodedata.category(c) not in ("Cc", "Cs")).strip()
