"""Time from a team's first touch of a capability to its first deployment, by Kaplan and Meier's estimator.

Teams that have not deployed yet are in it as having taken at least so long.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import duckdb

from pipelines.inserting import insert

if TYPE_CHECKING:
    from scipy.stats._distn_infrastructure import EmpiricalDistributionFunction

SHARES = (0.5, 0.75)

_SCHEMA = """
create schema if not exists analysis;
create or replace table analysis.first_deployment (
    offer varchar, level varchar, key varchar, grain varchar, period_start date, p double, value double,
    n bigint, low double, high double, unknown_start bigint);
"""
_TIMES = """
    with team as (
        select
            offer, team, touched_on, is_start_unknown,
            epoch(coalesce(deployed_at, w.covered_until)) - epoch(touched_at) as seconds,
            deployed_at is not null as is_over
        from core.onboarding
        cross join (select max(covered_until) as covered_until from core.repository) as w
    )

    select
        t.offer, m.level, m.key, grain, period_start(grain, t.touched_on) as first_day,
        list((t.seconds, t.is_over) order by t.seconds, t.is_over)
            filter (not t.is_start_unknown and t.seconds >= 0) as times,
        count_if(t.is_start_unknown) as unknown
    from (select *, unnest(grains()) as grain from team) as t
    inner join core.adoption_member as m
        on m.team = t.team and t.touched_on >= m.valid_from and t.touched_on < m.valid_until
    group by all
    order by all
"""


class Quantile(NamedTuple):
    """Seconds by which a share of the teams had deployed, and their 90 % interval; None where not known."""

    value: float | None
    low: float | None
    high: float | None


def update(connection: duckdb.DuckDBPyConnection) -> None:
    """Fill `analysis.first_deployment` from `core.onboarding`."""
    connection.execute(_SCHEMA)
    rows: list[tuple[object, ...]] = []
    for *place, times, unknown in connection.execute(_TIMES).fetchall():
        for p in SHARES:
            sample = tuple(times or ())
            rows.append((*place, p, *_ordered(quantile(sample, p), len(sample)), unknown))
    insert(connection, "analysis.first_deployment", rows)


def _ordered(found: Quantile, n: int) -> tuple[float | None, int, float | None, float | None]:
    return found.value, n, found.low, found.high


@lru_cache(maxsize=100_000)
def quantile(times: Sequence[tuple[float, bool]], p: float) -> Quantile:
    """Of (seconds, whether it was over then): the first time at which at least `p` were over.

    The interval holds the times at which the curve's 90 % band (log-log) does not exclude `p`.
    """
    over = [seconds for seconds, is_over in times if is_over]
    if not over:
        return Quantile(None, None, None)
    # scipy.stats takes a second to import.
    from scipy.stats import CensoredData, ecdf

    sample = CensoredData(uncensored=over, right=[seconds for seconds, is_over in times if not is_over])
    curve = ecdf(sample).sf
    with warnings.catch_warnings(action="ignore", category=RuntimeWarning):  # no band where nothing is left
        band = curve.confidence_interval(0.9, method="log-log")
    value, low, high = (
        next((n for n, left in enumerate(part.probabilities) if left <= 1 - p + 1e-9), None)
        for part in (curve, band.low, band.high)
    )
    return Quantile(
        _middle(curve, value, set(over), 1 - p),
        *(None if n is None else float(curve.quantiles[n]) for n in (low, high)),
    )


def _middle(
    curve: EmpiricalDistributionFunction, reached: int | None, over: set[float], left: float
) -> float | None:
    """As of an even-sized median: where the curve is flat at what is left, the middle of that piece."""
    if reached is None:
        return None
    time = float(curve.quantiles[reached])
    if abs(curve.probabilities[reached] - left) > 1e-9:
        return time
    following = next((float(t) for t in curve.quantiles[reached + 1 :] if t in over), None)
    return None if following is None else (time + following) / 2
