"""Whether a figure differs between two periods by more than chance brings about.

Two estimates are compared by the interval of their difference, which follows from the intervals that they
come with (Zou and Donner, Statistics in Medicine 27, 2008); of two shares with Wilson's it is Newcombe's
(Statistics in Medicine 17, 1998, method 10). That two intervals overlap says nothing: their difference may
be clear all the same. What is counted has no interval; it is compared by how much its weeks differ anyway.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist, mean, variance
from typing import NamedTuple

from pipelines.change_points import holm

LEVEL = 0.1
"""Chance of a difference found among figures that are compared together where none differs."""
FEWEST_WEEKS = 4
"""Whole weeks that each of two counts has to have."""

_Z = NormalDist().inv_cdf(1 - LEVEL / 2)


class Estimate(NamedTuple):
    """A figure with its 90 % interval."""

    value: float
    low: float
    high: float


class Difference(NamedTuple):
    """From the earlier figure to the later, in their unit, with its 90 % interval."""

    value: float
    low: float
    high: float
    p_value: float
    """Chance of one at least as large, either way, without a change."""


def of_estimates(before: Estimate, now: Estimate) -> Difference:
    """The difference of two figures of other things, as the changes of two months.

    Of figures of the same things, as medians over the same services, the interval is too wide rather than
    too narrow: what such figures have in common leaves their difference.
    """
    value = now.value - before.value
    down = math.hypot(now.value - now.low, before.high - before.value)
    up = math.hypot(now.high - now.value, before.value - before.low)
    margin = down if value > 0 else up
    chance = 0.0 if value else 1.0
    if margin:
        chance = 2 * NormalDist().cdf(-_Z * abs(value) / margin)
    return Difference(value, value - down, value + up, chance)


def of_weeks(before: Sequence[float], now: Sequence[float]) -> Difference | None:
    """The difference of means of weekly counts, by Welch's test; None with fewer than `FEWEST_WEEKS`.

    Each variance is at least Poisson's, that of things that happen independently of one another, since few
    weeks may be alike by chance.
    """
    if min(len(before), len(now)) < FEWEST_WEEKS:
        return None
    value = mean(now) - mean(before)
    errors = [max(variance(weeks), mean(weeks)) / len(weeks) for weeks in (before, now)]
    error = math.sqrt(sum(errors))
    if not error:
        return Difference(0.0, 0.0, 0.0, 1.0)
    # Half a second to import, which nobody else should wait for.
    from scipy.special import stdtr, stdtrit

    freedom = sum(errors) ** 2 / sum(
        each**2 / (len(weeks) - 1) for each, weeks in zip(errors, (before, now), strict=True)
    )
    margin = float(stdtrit(freedom, 1 - LEVEL / 2)) * error
    return Difference(value, value - margin, value + margin, float(2 * stdtr(freedom, -abs(value) / error)))


def detectable(differences: Sequence[Difference | None]) -> list[bool | None]:
    """Which of the differences that are looked at together are more than chance, by Holm; None for None."""
    adjusted = iter(holm([each.p_value for each in differences if each is not None]))
    return [None if each is None else next(adjusted) < LEVEL for each in differences]
