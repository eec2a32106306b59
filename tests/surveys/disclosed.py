"""Waves to be released, in few words: one item, agreed with or not, by people of groups."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from surveys.disclosure import Cell, Cohort, Invited, Measure, Release, Released, Respondent, Wave

ITEM = Measure("ease", "ease_of_delivery", "rating", ("ease",), 1, 5)
AGREE, DISAGREE = 5, 2


@dataclass(frozen=True)
class Person:
    """Somebody of the roster; no answers are none given, an answer None is one skipped."""

    name: str
    teams: tuple[tuple[str, ...], ...]
    values: Mapping[str, Any] | None
    tier: str | None = None
    role: str | None = None
    themes: frozenset[str] = frozenset()

    @property
    def cohort(self) -> Cohort:
        return Cohort(self.teams, self.tier, self.role)


def people(
    team: str | tuple[str, ...], agree: int, disagree: int, silent: int = 0, absent: int = 0
) -> list[Person]:
    """So many of a team who agree, disagree, skip the item and don't answer at all."""
    path = (team,) if isinstance(team, str) else team
    answers = [{"ease": AGREE}] * agree + [{"ease": DISAGREE}] * disagree + [{"other": 1}] * silent
    every: list[Mapping[str, Any] | None] = [*answers, *[None] * absent]
    return [Person(f"{path[-1]}{index}", (path,), values) for index, values in enumerate(every)]


def wave(everybody: Sequence[Person], name: str = "2026-1", **settings: Any) -> Wave:
    invited = [Invited(each.name, each.cohort, each.values is not None) for each in everybody]
    answered = [
        Respondent(
            each.cohort,
            {item: value for item, value in each.values.items() if value is not None},
            each.themes,
        )
        for each in everybody
        if each.values is not None
    ]
    return Wave(name, settings.pop("measures", (ITEM,)), invited, answered, **settings)


def released(of: Wave, result: Release) -> Released:
    return Released(of.id, of.invited, result.cells)


def shown(cells: Iterable[Cell], statistic: str = "top2") -> set[str]:
    """The groups that show it; tiers and roles by name, everybody as an empty string."""
    return {cell.group for cell in cells if cell.statistic == statistic and cell.status == "ok"}


def statuses(cells: Iterable[Cell], statistic: str = "top2") -> dict[str, str]:
    return {cell.group: cell.status for cell in cells if cell.statistic == statistic}


def moved(person: Person, team: str) -> Person:
    return replace(person, teams=((team,),))
