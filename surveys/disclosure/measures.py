"""What is published of an item: the categories of its answers, and the sums that figures give away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from surveys.instruments import NOT_APPLICABLE, Instrument, Item

Kind = Literal["rating", "nps", "umux_lite", "theme"]
Functional = tuple[int, ...]

_UMUX_ITEMS = 2


@dataclass(frozen=True, slots=True)
class Measure:
    """An item, or the two of UMUX-Lite, and how it is scored.

    Whether a conditional one was asked depends on other answers, so that its n is an answer itself.
    """

    id: str
    construct: str
    kind: Kind
    items: tuple[str, ...]
    low: int = 0
    high: int = 1
    is_reversed: bool = False
    is_conditional: bool = False

    @property
    def categories(self) -> int:
        """How many categories are told apart; `category` counts them from the least favourable."""
        if self.kind == "umux_lite":
            return 2 * (self.high - self.low) + 1
        return {"nps": 3, "theme": 2, "rating": self.high - self.low + 1}[self.kind]

    @property
    def primary(self) -> str | None:
        """The statistic shown of small groups too; None where there is none."""
        return {"rating": "top2", "nps": "top2", "theme": "theme", "umux_lite": None}[self.kind]

    @property
    def secondary(self) -> str | None:
        """The statistic that needs 20 answers."""
        return {"rating": "mean", "nps": "nps", "theme": None, "umux_lite": "umux_lite"}[self.kind]

    @property
    def counted(self) -> str:
        """What `primary` counts, as a cell's counts name it."""
        return "mentioned" if self.kind == "theme" else "favourable"

    @property
    def favourable(self) -> Functional:
        """One for each category that `primary` counts: the two best, promoters, or who touched the theme."""
        best = {"rating": 2, "nps": 1, "theme": 1, "umux_lite": 0}[self.kind]
        return (0,) * (self.categories - best) + (1,) * best

    @property
    def told(self) -> tuple[Functional, ...]:
        """The sums that `secondary` and its interval give away, as weights of categories; its own first."""
        if self.kind == "nps":
            return (1, 0, 0), (0, 0, 1)
        scores = tuple(range(self.categories))
        return scores, tuple(score**2 for score in scores)

    @property
    def protected(self) -> tuple[Functional, ...]:
        """The sums that must not be told of few people: categories as published, or scores."""
        if self.kind == "nps":
            return (1, 0, 0), (0, 1, 0), (0, 0, 1)
        return (self.told[0], self.favourable) if self.primary else self.told[:1]

    def steps(self, values: Mapping[str, Any]) -> int | None:
        """How many steps above the least favourable answers; None unless all are there and count."""
        given = [values.get(item) for item in self.items]
        answers = [answer for answer in given if type(answer) is int and self.low <= answer <= self.high]
        if len(answers) < len(given):
            return None
        return sum(self.high - answer if self.is_reversed else answer - self.low for answer in answers)

    def score(self, values: Mapping[str, Any]) -> float | None:
        """The same on 0 to 100."""
        steps = self.steps(values)
        return None if steps is None else 100 * steps / (len(self.items) * (self.high - self.low))

    def category(self, values: Mapping[str, Any], themes: frozenset[str] = frozenset()) -> int | None:
        """The category that a respondent's answers fall into."""
        if self.kind == "theme":
            return int(self.id in themes)
        steps = self.steps(values)
        if self.kind == "nps" and steps is not None:
            return 2 if steps >= 9 else 1 if steps >= 7 else 0
        return steps

    def is_dont_know(self, values: Mapping[str, Any]) -> bool:
        """Whether the respondent chose not to judge it."""
        return any(values.get(item) == NOT_APPLICABLE for item in self.items)


def measures_of(instrument: Instrument) -> tuple[Measure, ...]:
    """What is published of an instrument: each item with a good and a bad end, UMUX-Lite's two together."""
    score_of = {name: construct.score for name, construct in instrument.constructs.items()}
    scored = [
        item
        for item in instrument.items
        if item.scale and item.direction != "neutral" and score_of[item.construct_id] != "none"
    ]
    measures: dict[str, Measure] = {}
    for item in scored:
        score = score_of[item.construct_id]
        together = [each for each in scored if each.construct_id == item.construct_id]
        if score == "umux_lite" and len(together) == _UMUX_ITEMS:
            measures[item.construct_id] = _measure(item.construct_id, "umux_lite", together)
        else:
            measures[item.id] = _measure(item.id, "nps" if score == "nps" else "rating", [item])
    return tuple(measures.values())


def _measure(name: str, kind: Kind, items: list[Item]) -> Measure:
    first = items[0]
    assert first.scale is not None
    return Measure(
        name,
        first.construct_id,
        kind,
        tuple(item.id for item in items),
        first.scale.low,
        first.scale.high,
        first.direction == "negative",
        any(item.show_if is not None for item in items),
    )
