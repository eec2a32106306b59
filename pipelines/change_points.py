"""Where the level of a metric changed: weeks from which on its figures are others, if the data supports it.

Candidates come from PELT (`ruptures`) on standard scores; each is then held against what shuffling its
neighbourhood would bring about by chance. A series counts with its last two years of complete `ok` weeks.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import chain, groupby, pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipelines.inserting import insert

if TYPE_CHECKING:
    from ruptures import KernelCPD

Floats = NDArray[np.float64]

METRICS = (
    "batch_size", "change_fail_rate", "change_lead_time", "ci_duration_p50", "ci_duration_p90",
    "ci_flaky_rate", "ci_queue_p50", "ci_queue_p90", "ci_wait", "deployment_frequency",
    "deployment_success_rate", "failed_deployment_recovery_time", "pr_coding", "pr_pickup", "pr_release",
    "pr_review", "rework_rate", "time_to_restore",
)  # fmt: skip
"""Metrics looked at. Work in progress is a stock: one pull request left open is a level of its own."""
METHOD = "PELT on robust scores, permutation test, Holm"
MOST_WEEKS, FEWEST_WEEKS = 104, 20
SHORTEST = 4
"""Weeks for which a level has to hold."""
SIGNIFICANCE = 0.02
"""Chance, under no change, of marking any: below 5 % also where neighbouring weeks are alike (tests)."""
_SHUFFLES = 1_999

_TABLE = """
create schema if not exists analysis;
create or replace table analysis.change_point (
    metric varchar, level varchar, key varchar, grain varchar, period_start date,
    before double, after double, p_value double, method varchar);
"""
_WEEKS = """
    select subject_key, period_start, value
    from marts.{metric}
    where grain = 'week' and level in ('organisation', 'team', 'service') and status = 'ok' and not partial
    order by subject_key, period_start
"""


class ChangePoint(NamedTuple):
    """A change of level within a series."""

    position: int
    """Index of the first value of the new level."""
    before: float
    """Median of the level that ended."""
    after: float
    p_value: float
    """After Holm's correction for the candidates of the series."""


class _Series(NamedTuple):
    """A metric's values of one subject, from the row `began` on of the weeks of all."""

    metric: str
    weeks: pa.Table
    began: int
    values: Floats

    def week(self, position: int) -> tuple[Any, ...]:
        """The subject's key and the first day of a week."""
        return tuple(column[self.began + position].as_py() for column in self.weeks.columns[:2])


def _length(series: _Series) -> int:
    return len(series.values)


def update(connection: duckdb.DuckDBPyConnection) -> None:
    """Fill `analysis.change_point` from the metrics' tables."""
    connection.execute(_TABLE)
    series = sorted(_series(connection), key=_length)
    # Those of a length at once, in a tenth of the time that one by one takes.
    scores = chain.from_iterable(
        _standardised(np.stack([each.values for each in alike])) for _, alike in groupby(series, _length)
    )
    names = {
        subject: (level, key)
        for subject, level, key in connection.execute(
            "select distinct subject_key, level, key from core.figure_subject"
        ).fetchall()
    }
    found = [
        (each.metric, *names[subject], "week", start, *point[1:], METHOD)
        for each, score in zip(series, scores, strict=True)
        for point in _changes(each.values, score)
        for subject, start in [each.week(point.position)]
    ]
    insert(connection, "analysis.change_point", found)


def change_points(values: Floats) -> list[ChangePoint]:
    """Changes of level of a series in order of time; none in fewer than `FEWEST_WEEKS` values."""
    return _changes(values, _standardised(values))


def _changes(values: Floats, scores: Floats) -> list[ChangePoint]:
    n = len(values)
    if n < FEWEST_WEEKS or not scores.any():
        return []
    ends = _detector().fit(scores).predict(pen=3 * np.log(n))
    if len(ends) == 1:
        return []
    edges = [0, *ends]
    levels = np.concatenate([np.full(b - a, scores[a:b].mean()) for a, b in zip(edges, ends, strict=False)])
    remainder = scores - levels
    if _is_drift(scores, remainder, len(ends) - 1):
        return []
    likeness = _likeness(remainder, len(ends))
    chances = [_chance(values[a:c], likeness) for a, c in zip(edges, edges[2:], strict=False)]
    return [
        ChangePoint(int(b), float(np.median(values[a:b])), float(np.median(values[b:c])), p_value)
        for a, b, c, p_value in zip(edges, edges[1:], edges[2:], holm(chances), strict=False)
        if p_value <= SIGNIFICANCE
    ]


def _series(connection: duckdb.DuckDBPyConnection) -> Iterator[_Series]:
    """Each series that is long enough."""
    known = connection.execute(
        "select table_name from information_schema.tables where table_schema = 'marts'"
    ).fetchall()
    for metric in METRICS:
        if (metric,) not in known:
            continue
        rows = connection.execute(_WEEKS.format(metric=metric)).to_arrow_table()
        subjects, values = rows["subject_key"].to_numpy(), rows["value"].to_numpy()
        others = np.flatnonzero(subjects[1:] != subjects[:-1]) + 1
        for first, end in pairwise([0, *others, len(subjects)] if len(subjects) else []):
            began = max(first, end - MOST_WEEKS)
            if metric == "deployment_frequency":
                # That nothing is known to have been deployed before the first deployment says little.
                began = max(began, first + int(np.argmax(values[first:end] > 0)))
            if end - began >= FEWEST_WEEKS:
                yield _Series(metric, rows, began, values[began:end])


@cache
def _detector() -> KernelCPD:
    # Two seconds to import, which only long series should cost.
    from ruptures import KernelCPD

    return KernelCPD(kernel="linear", min_size=SHORTEST)


def _standardised(values: Floats) -> Floats:
    """Robust standard scores about 0, of a series or of each row, cut off at 2.5, so that a few outliers
    hide no change of level."""
    middle = np.median(values, axis=-1, keepdims=True)
    spread = 1.4826 * np.median(np.abs(values - middle), axis=-1, keepdims=True)
    spread = np.where(spread > 0, spread, values.std(axis=-1, keepdims=True))
    scores: Floats = np.clip((values - middle) / np.where(spread > 0, spread, 1), -2.5, 2.5)
    scores -= scores.mean(axis=-1, keepdims=True)
    return scores


def _is_drift(scores: Floats, remainder: Floats, changes: int) -> bool:
    """A straight line explains the series as well as the steps do, by Schwarz's criterion."""
    n = len(scores)
    time = np.arange(n) - (n - 1) / 2
    line = scores - time * (time @ scores) / (time @ time)
    steps_cost = n * np.log(remainder @ remainder + 1e-9) + (3 * changes + 1) * np.log(n)
    return bool(n * np.log(line @ line + 1e-9) + 2 * np.log(n) <= steps_cost)


def _likeness(remainder: Floats, levels: int) -> float:
    """Correlation of neighbouring weeks about their levels, from 0 to 0.9, corrected for fitting these."""
    n = len(remainder)
    correlation = remainder[1:] @ remainder[:-1] / max(float(remainder @ remainder), 1e-9) + 2 * levels / n
    return float(np.clip(correlation, 0, 0.9))


def _chance(values: Floats, likeness: float) -> float:
    """Share of shuffles of two neighbouring levels that have as strong a split as these.

    Ranks make it the same for every series of a length; weeks that are alike count as fewer.
    """
    from scipy.stats import rankdata

    ranks = rankdata(values)[np.newaxis]
    strength = _strongest_split(ranks)[0] * np.sqrt((1 - likeness) / (1 + likeness))
    by_chance = _shuffled(len(values))
    reached = len(by_chance) - np.searchsorted(by_chance, strength - 1e-9)
    return float((1 + reached) / (1 + len(by_chance)))


@cache
def _shuffled(n: int) -> Floats:
    """Strength of the strongest split in each of many shuffles of n ranks, in ascending order."""
    ranks = np.tile(np.arange(n, dtype=np.float64), (_SHUFFLES, 1))
    return np.sort(_strongest_split(np.random.default_rng(n).permuted(ranks, axis=1)))


def _strongest_split(ranks: Floats) -> Floats:
    """Greatest absolute standardised rank sum over every admissible split of each row."""
    n = ranks.shape[1]
    first = np.arange(SHORTEST, n - SHORTEST + 1)
    centred = ranks - ranks.mean(axis=1, keepdims=True)
    sums = np.abs(np.cumsum(centred, axis=1)[:, first - 1]) / np.sqrt(first * (n - first) / n)
    spread: Floats = np.asarray(np.std(ranks, axis=1, ddof=1))
    strongest: Floats = np.max(sums, axis=1) / np.maximum(spread, 1e-9)
    return strongest


def holm(chances: list[float]) -> list[float]:
    """P-values of one family, in their order, adjusted by Holm 1979 (Scand. J. Statistics 6:65)."""
    adjusted = [0.0] * len(chances)
    least = 0.0
    for tried, at in enumerate(sorted(range(len(chances)), key=chances.__getitem__)):
        least = max(least, min(1.0, chances[at] * (len(chances) - tried)))
        adjusted[at] = least
    return adjusted
