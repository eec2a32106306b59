"""What there is to alert of: goals that are surely missed, and new levels of figures (ADR 0026)."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

from dashboards import queries, words
from dashboards.goals import judge
from dashboards.queries import Frames
from pipelines.change_points import SHORTEST
from pipelines.message_settings import GoalConfig

NEWS = timedelta(weeks=8)
"""Age from which a new level is no news: it takes weeks until one can be told."""
WATCHED = timedelta(weeks=26)
"""Age up to which it is watched whether a level that was told of stands."""
LEVELS = ("organisation", "team", "service")


class Alert(NamedTuple):
    """Something to be told of once."""

    id: str
    """The same as long as it lasts."""
    says: str
    """A sentence."""


@dataclass(frozen=True)
class Standing:
    """What to tell, after what was told before."""

    begun: tuple[Alert, ...]
    """Goals first, then the levels of the whole before those of its parts."""
    ended: tuple[Alert, ...]
    forgotten: frozenset[str]
    """Of what was told, what nobody asks for any more."""
    unknown: tuple[str, ...]
    """Goals without a figure, in words."""


class _NewLevel(NamedTuple):
    metric: str
    title: str
    level: str
    key: str
    since: str
    """First day of its first week."""

    @property
    def id(self) -> str:
        return json.dumps(["level", *self])

    @property
    def name(self) -> str:
        who = {"organisation": "all services", "team": f"team {self.key}"}.get(self.level, self.key)
        return f"{self.title} of {who} from the week of {words.day(self.day)} on"

    @property
    def day(self) -> date:
        return date.fromisoformat(self.since)

    def is_of(self, other: _NewLevel) -> bool:
        """Whether both are one: with more weeks, the first of a level is found anew."""
        is_near = abs(self.day - other.day) <= timedelta(weeks=SHORTEST)
        return is_near and self._subject == other._subject

    @property
    def _subject(self) -> tuple[str, str, str]:
        # The median and the 90th percentile of one thing are told of together.
        return re.sub(r"_p\d\d$", "", self.metric), self.level, self.key


def standing(source: Frames, goals: Sequence[GoalConfig], down_to: str, told: Collection[str]) -> Standing:
    """How goals stand, and the levels of figures down to one of `LEVELS`, or of `none`."""
    covered = queries.covered_on(source)
    if covered is None:
        return Standing((), (), frozenset(), ())
    judged = [judge(source, goal, covered) for goal in goals]
    wanted = LEVELS[: LEVELS.index(down_to) + 1] if down_to in LEVELS else ()
    found = dict(_levels(source, wanted, covered - WATCHED - NEWS))
    before = [_NewLevel(*parts[1:]) for parts in map(json.loads, told) if parts[0] == "level"]
    watched = [each for each in before if each.level in wanted and each.day >= covered - WATCHED]
    withdrawn = [
        Alert(each.id, f"No longer told apart from chance: {each.name}.")
        for each in watched
        if not any(each.is_of(other) for other in found)
    ]
    news = [
        Alert(level.id, says)
        for level, says in found.items()
        if level.day >= covered - NEWS and not any(level.is_of(other) for other in before)
    ]
    missed = [Alert(each.id, each.says) for each in judged if each.state == "missed" and each.id not in told]
    met = [Alert(each.id, each.says) for each in judged if each.state == "met" and each.id in told]
    kept = {each.id for each in judged} | {each.id for each in watched}
    return Standing(
        begun=(*missed, *news),
        ended=(*met, *withdrawn),
        forgotten=frozenset(told) - kept,
        unknown=tuple(each.says for each in judged if each.state == "unknown"),
    )


def _levels(source: Frames, levels: Sequence[str], since: date) -> Iterator[tuple[_NewLevel, str]]:
    before: list[_NewLevel] = []
    for row in queries.new_levels(source, levels, since).to_dict("records"):
        level = _NewLevel(
            row["metric"], row["title"], row["level"], row["key"], f"{row['period_start']:%Y-%m-%d}"
        )
        if any(level.is_of(other) for other in before):
            continue
        before.append(level)
        was, now = (words.figure(row[side], row["unit"]) for side in ("before", "after"))
        yield level, f"New level: {level.name}, {was} → {now} (p = {row['p_value']:.2g})."
