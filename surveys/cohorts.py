"""Cohorts: where someone stands in the organisation, as coarse as it takes to hide among others.

Team, tier and role together are often one person's alone. Whoever reads the database knows who answered
(the invites), so an answer at rest keeps only what at least `minimum_group` answers share.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Cohort:
    """Team (names from the root of the tree), tier and role, as frozen when the wave opened."""

    team_path: tuple[str, ...] = ()
    tier: str | None = None
    role: str | None = None


def coarsened(cohorts: Sequence[Cohort], minimum_group: int) -> list[Cohort]:
    """For each cohort the one kept instead; each of these occurs `minimum_group` times or more.

    A team keeps roles, then tiers, only if each of them has enough; a team too small joins those directly
    in its parent. With fewer cohorts than `minimum_group` all are the whole organisation.
    """
    kept = [*cohorts]
    for keeps_tier in (True, False):
        thin = {cohort.team_path for cohort in _rare(kept, minimum_group)}
        kept = [
            Cohort(cohort.team_path, cohort.tier if keeps_tier else None)
            if cohort.team_path in thin
            else cohort
            for cohort in kept
        ]
    for depth in range(max((len(cohort.team_path) for cohort in kept), default=0), 0, -1):
        rare = _rare(kept, minimum_group)
        kept = [
            Cohort(cohort.team_path[:-1]) if cohort in rare and len(cohort.team_path) == depth else cohort
            for cohort in kept
        ]
    if Cohort() in _rare(kept, minimum_group) and (others := Counter(kept) - Counter({Cohort(): len(kept)})):
        # Nothing is above the organisation: the smallest of the others keeps the few company.
        smallest = min(others, key=lambda cohort: (others[cohort], cohort.team_path))
        kept = [Cohort() if cohort == smallest else cohort for cohort in kept]
    return kept


def _rare(cohorts: Sequence[Cohort], minimum_group: int) -> set[Cohort]:
    return {cohort for cohort, count in Counter(cohorts).items() if count < minimum_group}
