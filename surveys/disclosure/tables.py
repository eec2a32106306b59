"""The groups of a wave: the team tree with the organisation at its root, tiers and roles, each one-way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import get_args

import numpy as np

from surveys.disclosure.isolation import Ints
from surveys.disclosure.records import ORGANISATION, Cohort, Group, Table, Wave

EVERYBODY: Group = ("team", ORGANISATION)


def groups_of(cohort: Cohort) -> frozenset[Group]:
    """Every group that people of a cohort count in, once each."""
    teams = {("team", team) for path in cohort.team_paths for team in path}
    others = {("tier", cohort.tier), ("role", cohort.role)}
    return frozenset([EVERYBODY, *teams, *((table, name) for table, name in others if name is not None)])  # type: ignore[list-item]


@dataclass(frozen=True)
class Tables:
    """All groups, the roster's distinct cohorts, and which counts in which group (groups x cohorts)."""

    groups: tuple[Group, ...]
    cohorts: tuple[Cohort, ...]
    members: Ints
    parents: dict[str, str]

    @classmethod
    def of(cls, cohorts: Iterable[Cohort], paths: Iterable[tuple[str, ...]] = ()) -> Tables:
        """ValueError for a team with two parents: a group's name is its key."""
        distinct = tuple(sorted(set(cohorts), key=repr))
        parents: dict[str, str] = {}
        for path in (*paths, *(path for cohort in distinct for path in cohort.team_paths)):
            if len(set(path)) < len(path) or ORGANISATION in path:
                raise ValueError(f"{path} is no path of teams.")
            for parent, team in zip((ORGANISATION, *path), path, strict=False):
                if parents.setdefault(team, parent) != parent:
                    raise ValueError(
                        f"Team {team} is under {parents[team] or 'no team'} and {parent or 'no team'}."
                    )
        of_cohort = [groups_of(cohort) for cohort in distinct]
        order = get_args(Table)
        teams: set[Group] = {("team", team) for team in parents}
        groups = sorted(
            teams.union([EVERYBODY], *of_cohort), key=lambda group: (order.index(group[0]), group[1])
        )
        members = np.array([[group in mine for mine in of_cohort] for group in groups], dtype=np.int64)
        return cls(tuple(groups), distinct, members.reshape(len(groups), len(distinct)), parents)

    def parent(self, group: Group) -> str | None:
        """The group above: a team's parent, the organisation for tiers and roles, None for itself."""
        if group == EVERYBODY:
            return None
        return self.parents[group[1]] if group[0] == "team" else ORGANISATION

    def depth(self, group: Group) -> int:
        """Steps to the organisation."""
        parent = self.parent(group)
        return 0 if parent is None else 1 + self.depth(("team", parent))

    def above(self, group: Group) -> list[Group]:
        """The groups above, nearest first."""
        parent = self.parent(group)
        return [] if parent is None else [("team", parent), *self.above(("team", parent))]

    def count(self, cohorts: Iterable[Cohort]) -> Ints:
        """How many people of each cohort."""
        counted = Counter(cohorts)
        return np.array([counted[cohort] for cohort in self.cohorts], dtype=np.int64)

    def ranked(self, sizes: Ints) -> list[int]:
        """Groups by what is kept first: everybody, then the larger, in the order of tables and names."""
        totals = self.members @ sizes
        return sorted(range(len(self.groups)), key=lambda at: (self.groups[at] != EVERYBODY, -totals[at], at))


def tables_of(wave: Wave) -> Tables:
    """The tables of a wave; ValueError when who answered and what was answered differ."""
    tables = Tables.of((person.cohort for person in wave.invited), wave.team_paths)
    if len({person.person for person in wave.invited}) < len(wave.invited):
        raise ValueError("Somebody is in the roster twice.")
    answered = Counter(person.cohort for person in wave.invited if person.has_answered)
    if answered != Counter(respondent.cohort for respondent in wave.respondents):
        raise ValueError("Answers don't fit the roster's people who answered.")
    return tables
