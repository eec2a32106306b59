"""Forecasts of migrations, held against how simulated ones really ended."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest

from benchmarks.migrations import simulated
from pipelines.forecast import FEWEST_WEEKS, forecast


def test_the_day_of_85_percent_holds_for_80_to_90_percent_of_200_migrations() -> None:
    held = {0.5: 0, 0.85: 0}
    migrations = [*simulated(200, seed=5)]
    for number, migration in enumerate(migrations):
        found = forecast(migration.weekly, migration.remaining, seed=number)
        for share in held:
            weeks = found.finish(share) if found else None
            held[share] += weeks is None or weeks >= migration.weeks
    assert len(migrations) >= 195
    assert 0.80 <= held[0.85] / len(migrations) <= 0.90
    assert 0.45 <= held[0.5] / len(migrations) <= 0.70


def test_a_steady_pace_goes_on() -> None:
    found = forecast([2] * 10, 20)
    assert found
    assert (found.method, found.finish(0.5), found.finish(0.85)) == ("resampled", 10, 10)


def test_the_more_certain_day_is_no_sooner() -> None:
    found = forecast([0, 5, 1, 0, 2, 3, 0, 1], 30)
    assert found
    half, more = found.finish(0.5), found.finish(0.85)
    assert half
    assert more
    assert half < more


@pytest.mark.parametrize("weekly", [[], [9], [0, 0, 0, 0, 0], [3] * (FEWEST_WEEKS - 1) + [0] * 9])
def test_too_few_weeks_tell_nothing(weekly: list[int]) -> None:
    assert forecast(weekly, 10) is None


def test_one_that_stands_still_ends_at_no_day_that_can_be_told() -> None:
    found = forecast([4, 4, 4, 4] + [0] * 26, 10)
    assert found
    assert found.finish(0.5) is None


def logistic(now: int) -> tuple[list[int], int]:
    """Weeks of 200 services about week 15, and what remains."""
    edges = 200 / (1 + np.exp(-(np.arange(0, 60) - 15) / 3))
    weekly = np.diff(np.round(edges)).astype(int)
    return weekly[:now].tolist(), int(weekly[now:].sum())


def test_what_slows_down_is_followed_to_its_end_past_the_inflection_alone() -> None:
    weekly, remaining = logistic(20)
    late = forecast(weekly, remaining)
    assert late
    assert late.method == "logistic"
    # At the pace so far, and none is slower yet, it would be over much sooner.
    at_this_pace = remaining / (sum(weekly[-4:]) / 4)
    finish = late.finish(0.5)
    assert finish
    assert finish > 2 * at_this_pace
    early = forecast(*logistic(13))
    assert early
    assert early.method == "resampled"


def test_the_same_weeks_give_the_same_forecast() -> None:
    one, other = forecast([1, 2, 0, 3, 1], 12), forecast([1, 2, 0, 3, 1], 12)
    assert one
    assert other
    assert np.array_equal(one.done, other.done)


def weeks_by_hand(weekly: list[int], remaining: int, share: float) -> int:
    """The same by loops and other chances: weights of the weeks, then one after another until all is done."""
    chance, ends = random.Random(5), []
    for _ in range(4_000):
        weights = [chance.expovariate(1) for _ in weekly]
        left, weeks = remaining, 0
        while left > 0:
            left -= chance.choices(weekly, weights)[0]
            weeks += 1
        ends.append(weeks)
    return sorted(ends)[math.ceil(share * len(ends)) - 1]


@pytest.mark.parametrize("share", [0.5, 0.85])
@pytest.mark.parametrize(
    ("weekly", "remaining"),
    [([2, 3, 1, 2, 4, 2] * 3, 40), ([0, 5, 0, 1, 2, 0, 3, 1], 12), ([1] * 9, 7)],
    ids=str,
)
def test_weeks_left_are_what_loops_find(weekly: list[int], remaining: int, share: float) -> None:
    found = forecast(weekly, remaining)
    assert found is not None
    assert found.method == "resampled"
    assert found.finish(share) == pytest.approx(weeks_by_hand(weekly, remaining, share), rel=0.08, abs=1)
