"""Estimates of one group, each with its n and a 90 % interval.

None is corrected for a finite population: who answers today speaks for how it is to work here, not for
today's roster alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

CONFIDENCE = 0.90
"""Of every interval, and one minus the level of every test."""

_UMUX_SCALE = (1, 7)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure, the answers it rests on, its interval, and the answers' standard deviation, if any."""

    value: float
    n: int
    low: float
    high: float
    deviation: float | None = None


def wilson(successes: int, n: int) -> Estimate:
    """A share (ratio, 0 to 1) with Wilson's score interval; ValueError without answers.

    Wilson 1927; recommended for small n by Newcombe 1998, Statistics in Medicine 17:857.
    """
    interval = stats.binomtest(successes, n).proportion_ci(CONFIDENCE, method="wilson")
    return Estimate(successes / n, n, float(interval.low), float(interval.high))


def mean_score(values: Sequence[int], low: int, high: int) -> Estimate:
    """The mean of ratings from `low` to `high`, put on 0 to 100, with Student's interval; of two or more."""
    scores = (np.asarray(values, dtype=float) - low) * 100 / (high - low)
    mean, deviation = float(scores.mean()), float(scores.std(ddof=1))
    margin = float(stats.t.ppf((1 + CONFIDENCE) / 2, len(scores) - 1)) * deviation / math.sqrt(len(scores))
    return Estimate(mean, len(scores), max(0.0, mean - margin), min(100.0, mean + margin), deviation)


def umux_lite(pairs: Sequence[tuple[int, int]]) -> Estimate:
    """The mean UMUX-Lite, 0 to 100, of two ratings from 1 to 7 each: (their sum - 2) x 100 / 12.

    Lewis, Utesch and Maher 2013, UMUX-LITE: when there's no time for the SUS, CHI '13.
    """
    low, high = _UMUX_SCALE
    return mean_score([useful + easy for useful, easy in pairs], 2 * low, 2 * high)


def nps(promoters: int, passives: int, detractors: int) -> Estimate:
    """The net promoter score, -100 to 100, with one promoter and one detractor added; n is the answers given.

    A difference of two shares of the same people, adjusted as by Bonett and Price 2012, Journal of
    Educational and Behavioral Statistics 37:479.
    """
    n = promoters + passives + detractors
    value, variance = adjusted_nps(promoters, n, detractors)
    margin = float(stats.norm.ppf((1 + CONFIDENCE) / 2)) * math.sqrt(variance)
    return Estimate(value, n, max(-100.0, value - margin), min(100.0, value + margin))


def adjusted_nps(promoters: int, n: int, detractors: int) -> tuple[float, float]:
    """The adjusted score and the variance of it, in points and their square."""
    up, down = (promoters + 1) / (n + 2), (detractors + 1) / (n + 2)
    return 100 * (up - down), 100**2 * (up + down - (up - down) ** 2) / (n + 2)
