"""Whose turn it is: whole teams by turns, nobody too often, no team too few."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from surveys.store import Invitee

Team = tuple[str, ...]


@dataclass(frozen=True)
class Rules:
    """How often people and teams are asked."""

    rest: timedelta
    """Nobody is asked again before so much time has passed, in whole days."""
    parts: int
    """Each wave asks one of so many parts of all people."""
    minimum_group: int


@dataclass(frozen=True)
class Turn:
    """What was chosen. Counts of people; none says why anybody in particular was asked."""

    invitees: tuple[Invitee, ...]
    resting: int
    """Left out of teams that are asked, for they were asked not long ago."""
    waiting: int
    """In teams whose turn comes later."""


def choose(
    roster: Sequence[Invitee],
    rules: Rules,
    today: date,
    seed: str,
    *,
    person_asked: Mapping[str, date],
    team_asked: Mapping[Team, date],
    first: Collection[str] = (),
) -> Turn:
    """Whom a wave asks, of those on the roster.

    Teams come in order of their last turn, those named in `first` before all others, and as a whole: that
    one comes early says of nobody why. A team that would fall under the minimum group,
    for others of it rest, waits as a whole. Equals come in an order that `seed` settles.
    """
    teams: dict[Team, list[Invitee]] = {}
    for each in roster:
        teams.setdefault(each.team_path, []).append(each)
    able = {
        team: [each for each in members if _has_rested(person_asked.get(each.person), rules.rest, today)]
        for team, members in teams.items()
    }
    ready = [
        team for team, members in teams.items() if len(able[team]) >= min(rules.minimum_group, len(members))
    ]
    urgent = {team for team in teams if team[-1] in first}
    order = sorted(
        ready,
        key=lambda team: (team not in urgent, team_asked.get(team, date.min), _lot(seed, team)),
    )
    wanted = math.ceil(len(roster) / rules.parts)
    chosen: list[Team] = []
    for team in order:
        if team in urgent or sum(len(teams[each]) for each in chosen) < wanted:
            chosen.append(team)
    asked = sorted((each for team in chosen for each in able[team]), key=lambda each: each.person)
    present = sum(len(teams[team]) for team in chosen)
    return Turn(tuple(asked), present - len(asked), len(roster) - present)


def _has_rested(asked: date | None, rest: timedelta, today: date) -> bool:
    return asked is None or today - asked >= rest


def _lot(seed: str, team: Team) -> bytes:
    return hashlib.sha256("\0".join((seed, *team)).encode()).digest()
