"""Quantiles and 90 % intervals, straight from their definitions."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from functools import cache

from scipy.stats import binom, norm, t

Interval = tuple[float | None, float | None]

FEWEST_CLUSTERS = 10


def quantile(values: Iterable[float], p: float) -> float | None:
    """Type 7: linear between the two nearest; None of nothing."""
    ascending = sorted(values)
    if not ascending:
        return None
    position = (len(ascending) - 1) * p
    below = math.floor(position)
    above = min(below + 1, len(ascending) - 1)
    return ascending[below] + (position - below) * (ascending[above] - ascending[below])


def order_statistics(values: Iterable[float], p: float = 0.5) -> Interval:
    """The order statistics of `rank_low` and `rank_high`."""
    ascending = sorted(values)
    low, high = rank_low(len(ascending), p), rank_high(len(ascending), p)
    return (ascending[low - 1] if low else None, ascending[high - 1] if high else None)


@cache
def rank_low(n: int, p: float = 0.5) -> int | None:
    """The largest l with P(B < l) ≤ .05, B ~ Bin(n, p)."""
    return max((rank for rank in range(1, n + 1) if binom.cdf(rank - 1, n, p) <= 0.05), default=None)


@cache
def rank_high(n: int, p: float = 0.5) -> int | None:
    """The smallest u with P(B ≥ u) ≤ .05, B ~ Bin(n, p)."""
    return min((rank for rank in range(1, n + 1) if binom.sf(rank - 1, n, p) <= 0.05), default=None)


def wilson(hits: int, n: int) -> Interval:
    """Score interval of a share."""
    if n == 0:
        return None, None
    z = float(norm.ppf(0.95))
    share = hits / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    margin = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return middle - margin, middle + margin


def woodruff(clusters: Mapping[str, Sequence[float]]) -> Interval:
    """Of a median whose values come in clusters: the margin of the share at or below it, turned back."""
    if len(clusters) < FEWEST_CLUSTERS:
        return None, None
    values = [value for cluster in clusters.values() for value in cluster]
    median = quantile(values, 0.5)
    assert median is not None
    share = sum(value <= median for value in values) / len(values)
    residuals = [sum((value <= median) - share for value in cluster) for cluster in clusters.values()]
    count = len(clusters)
    variance = count / (count - 1) * math.fsum(r * r for r in residuals) / len(values) ** 2
    margin = float(t.ppf(0.95, count - 1)) * math.sqrt(variance)
    if margin >= 0.5:
        return None, None
    return quantile(values, 0.5 - margin), quantile(values, 0.5 + margin)


def survival(spans: Sequence[tuple[float, bool]]) -> tuple[float | None, float | None, float | None]:
    """Median and interval by Kaplan-Meier of (time, whether it ended then).

    Where the curve is flat at one half, the middle of that piece, unknown where it has no end. The
    interval is that of order statistics on the effective sample size, S(1 - S) / Greenwood's variance
    (Cutler and Ederer 1958).
    """
    steps: list[tuple[float, Fraction, int]] = []
    surviving, greenwood = Fraction(1), Fraction(0)
    effective = len(spans)
    for time in sorted({time for time, ended in spans if ended}):
        at_risk = sum(other >= time for other, _ in spans)
        events = sum(other == time and ended for other, ended in spans)
        surviving *= Fraction(at_risk - events, at_risk)
        if surviving > 0:
            greenwood += Fraction(events, at_risk * (at_risk - events))
            effective = math.floor(surviving * (1 - surviving) / (surviving**2 * greenwood))
        steps.append((time, surviving, effective))
    value = None
    for n, (time, left, _) in enumerate(steps):
        if left <= Fraction(1, 2):
            following = steps[n + 1][0] if n + 1 < len(steps) else None
            value = time
            if left == Fraction(1, 2):
                value = (time + following) / 2 if following is not None else None
            break
    low = next((time for time, left, m in steps if (r := rank_low(m)) and m * (1 - left) >= r), None)
    high = next((time for time, left, m in steps if (r := rank_high(m)) and m * (1 - left) >= r), None)
    return value, low, high
