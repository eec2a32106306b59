"""Cohorts at rest: nobody stands alone, and nobody is moved further up than that takes."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from surveys.cohorts import Cohort, coarsened

TEAM = st.lists(st.sampled_from("abc"), max_size=3).map(tuple)
VALUE = st.sampled_from([None, "x", "y"])
COHORTS = st.lists(st.builds(Cohort, TEAM, VALUE, VALUE), max_size=60)


@given(COHORTS, st.integers(5, 8))
def test_every_cohort_kept_is_shared_and_true(cohorts: list[Cohort], minimum_group: int) -> None:
    kept = coarsened(cohorts, minimum_group)
    assert len(kept) == len(cohorts)
    if len(cohorts) >= minimum_group:
        assert min(Counter(kept).values()) >= minimum_group
    else:
        assert {*kept} <= {Cohort()}
    for exact, coarse in zip(cohorts, kept, strict=True):
        assert exact.team_path[: len(coarse.team_path)] == coarse.team_path
        assert coarse.tier in {None, exact.tier}
        assert coarse.role in {None, exact.role}


@given(COHORTS)
def test_cohorts_large_enough_stay(cohorts: list[Cohort]) -> None:
    enough = [cohort for cohort in cohorts for _ in range(5)]
    assert coarsened(enough, 5) == enough


def of(team: str, role: str | None, number: int, tier: str | None = None) -> list[Cohort]:
    return [Cohort(tuple(team), tier, role)] * number


def test_a_role_too_rare_is_dropped_for_its_whole_team_alone() -> None:
    cohorts = of("a", "dev", 6) + of("a", "ops", 4) + of("b", "dev", 5) + of("b", "ops", 5)
    assert coarsened(cohorts, 5) == of("a", None, 10) + of("b", "dev", 5) + of("b", "ops", 5)


def test_a_tier_outlives_a_role() -> None:
    assert coarsened(of("a", "dev", 6, "gold") + of("a", "ops", 1, "gold"), 5) == of("a", None, 7, "gold")


def test_teams_of_two_join_in_their_parent() -> None:
    cohorts = of("ab", None, 2) + of("ac", None, 3) + of("ad", None, 9)
    assert coarsened(cohorts, 5) == of("a", None, 5) + of("ad", None, 9)


def test_those_left_at_the_top_get_company() -> None:
    cohorts = of("a", None, 2) + of("b", None, 5) + of("c", None, 9)
    assert coarsened(cohorts, 5) == [Cohort()] * 7 + of("c", None, 9)
