"""Whether a group's figure changed between two waves, and how large a change would have shown."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scipy import stats

from surveys.statistics.estimates import CONFIDENCE, Estimate, adjusted_nps, wilson

POWER = 0.80
"""With which `Change.detectable` would have been found."""

_Z = float(stats.norm.ppf((1 + CONFIDENCE) / 2))
_Z_POWER = float(stats.norm.ppf(POWER))


@dataclass(frozen=True, slots=True)
class Change:
    """From the earlier wave to the later, in the figure's own unit, with its interval.

    `detectable` is the smallest difference that a test at this level finds with a power of 80 %.
    """

    value: float
    low: float
    high: float
    p_value: float
    detectable: float


def two_proportions(earlier: tuple[int, int], later: tuple[int, int]) -> Change:
    """The change of a share from (successes, n) to (successes, n), as a ratio.

    Tested by the N - 1 chi-squared test (Campbell 2007, Statistics in Medicine 26:3661); its interval is
    Newcombe's of two Wilson intervals (1998, Statistics in Medicine 17:873, method 10).
    """
    (x1, n1), (x2, n2) = earlier, later
    total = n1 + n2
    was, now = wilson(x1, n1), wilson(x2, n2)
    value = now.value - was.value
    pooled = (x1 + x2) / total
    variance = pooled * (1 - pooled) * (1 / n1 + 1 / n2) * total / (total - 1)
    p_value = 2 * float(stats.norm.sf(abs(value) / math.sqrt(variance))) if variance else 1.0
    # One more of each kind, since a share of 0 or 1 as seen would promise to show any difference.
    share = (x1 + x2 + 1) / (total + 2)
    return Change(
        value,
        value - math.hypot(now.value - now.low, was.high - was.value),
        value + math.hypot(now.high - now.value, was.value - was.low),
        p_value,
        (_Z + _Z_POWER) * math.sqrt(share * (1 - share) * (1 / n1 + 1 / n2)),
    )


def welch(earlier: Estimate, later: Estimate) -> Change:
    """The change of a mean, by Welch's test of unequal variances; ValueError without standard deviations."""
    if earlier.deviation is None or later.deviation is None:
        raise ValueError("Means are compared by their standard deviations.")
    value = later.value - earlier.value
    first, second = earlier.deviation**2 / earlier.n, later.deviation**2 / later.n
    error = math.sqrt(first + second)
    if not error:
        return Change(value, value, value, 0.0 if value else 1.0, 0.0)
    freedom = (first + second) ** 2 / (first**2 / (earlier.n - 1) + second**2 / (later.n - 1))
    critical = float(stats.t.ppf((1 + CONFIDENCE) / 2, freedom))
    return Change(
        value,
        value - critical * error,
        value + critical * error,
        2 * float(stats.t.sf(abs(value) / error, freedom)),
        (critical + float(stats.t.ppf(POWER, freedom))) * error,
    )


def nps_change(earlier: tuple[int, int, int], later: tuple[int, int, int]) -> Change:
    """The change of the score from one (promoters, passives, detractors) to another, adjusted as in `nps`."""
    was, first = adjusted_nps(earlier[0], sum(earlier), earlier[2])
    now, second = adjusted_nps(later[0], sum(later), later[2])
    error = math.sqrt(first + second)
    value = now - was
    p_value = 2 * float(stats.norm.sf(abs(value) / error))
    return Change(value, value - _Z * error, value + _Z * error, p_value, (_Z + _Z_POWER) * error)


def holm(p_values: Sequence[float]) -> list[float]:
    """The p-values of one family, in their order, adjusted by Holm 1979 (Scand. J. Statistics 6:65)."""
    adjusted = [0.0] * len(p_values)
    largest = 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = largest
    return adjusted
