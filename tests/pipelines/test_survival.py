"""The median of times of which some are not over, against scipy's curve and the plain median."""

from __future__ import annotations

import random
import statistics
from collections.abc import Iterator
from typing import NamedTuple

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import CensoredData, binom, ecdf

from pipelines.modelling import MODELS
from pipelines.statistics import register

Times = list[tuple[float, bool]]
"""(how long, whether it is over)."""


class Figure(NamedTuple):
    value: float | None
    n: int
    low: float | None
    high: float | None


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        register(connection)
        connection.execute((MODELS / "macros.sql").read_text())
        connection.execute(
            "create table observation (period_id integer, subject_id integer, value double, ended boolean,"
            " left_out text)"
        )
        yield connection


def figures(connection: duckdb.DuckDBPyConnection, *samples: Times) -> list[Figure]:
    """The figure of each sample, as a service of its own; each has one more that is left out."""
    rows: list[tuple[int, float, bool, str | None]] = [
        (n, *time, None) for n, times in enumerate(samples) for time in times
    ]
    rows += [(n, -1.0, True, "negative") for n in range(len(samples))]
    names = ("subject_id", "value", "ended", "left_out")
    connection.register("given", pa.table(dict(zip(names, zip(*rows, strict=True), strict=True))))
    connection.execute("truncate observation; insert into observation select 1, * from given")
    found = connection.execute((MODELS / "estimates" / "survival.sql").read_text()).fetchall()
    assert all(row[-1] == {"negative": 1} for row in found)
    return [Figure(*row[2:6]) for row in sorted(found)]


def median_by_scipy(times: Times) -> float | None:
    over = [value for value, ended in times if ended]
    if not over:
        return None
    curve = ecdf(CensoredData(uncensored=over, right=[value for value, ended in times if not ended])).sf
    steps = [
        (float(value), float(left))
        for value, left in zip(curve.quantiles, curve.probabilities, strict=True)
        if value in over
    ]
    reached = [(value, left) for value, left in steps if left <= 0.5 + 1e-9]
    if not reached:
        return None
    if abs(reached[0][1] - 0.5) > 1e-9:
        return reached[0][0]
    return (reached[0][0] + reached[1][0]) / 2 if len(reached) > 1 else None


@given(
    st.lists(
        st.lists(st.tuples(st.integers(0, 12).map(float), st.booleans()), min_size=1, max_size=25),
        min_size=1,
        max_size=20,
    )
)
@settings(max_examples=25, deadline=None)
def test_the_median_is_that_of_scipys_curve(
    connection: duckdb.DuckDBPyConnection, samples: list[Times]
) -> None:
    for times, figure in zip(samples, figures(connection, *samples), strict=True):
        expected = median_by_scipy(times)
        assert figure.value == (None if expected is None else pytest.approx(expected)), times
        assert figure.n == len(times)


def test_where_all_is_over_it_is_the_plain_median_with_its_order_statistics(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    rng = random.Random(4)
    sizes = range(1, 41)
    samples = [[(float(value), True) for value in rng.sample(range(1000), n)] for n in sizes]
    for n, times, figure in zip(sizes, samples, figures(connection, *samples), strict=True):
        ascending = sorted(value for value, _ in times)
        lower = [k for k in range(1, n + 1) if binom.cdf(k - 1, n, 0.5) <= 0.05]
        upper = [k for k in range(1, n + 1) if binom.sf(k - 1, n, 0.5) <= 0.05]
        assert figure == Figure(
            statistics.median(ascending),
            n,
            ascending[max(lower) - 1] if lower else None,
            ascending[min(upper) - 1] if upper else None,
        )


def test_what_is_open_long_enough_leaves_the_median_unknown(connection: duckdb.DuckDBPyConnection) -> None:
    most_open = [(1.0, True), (2.0, True), (5.0, False), (6.0, False), (7.0, False)]
    half_open = [(1.0, True), (2.0, True), (5.0, False), (6.0, False)]
    opened_late = [(1.0, True), (2.0, True), (0.5, False), (0.5, False)]
    none, half, late = figures(connection, most_open, half_open, opened_late)
    assert (none.value, none.n) == (None, 5)
    assert (half.value, half.n) == (None, 4)  # the upper of the two in the middle is not known
    assert late.value == 1.5


def test_of_all_left_out_there_is_a_figure_of_none(connection: duckdb.DuckDBPyConnection) -> None:
    assert figures(connection, []) == [Figure(None, 0, None, None)]


def test_the_interval_holds_the_true_median_nine_times_of_ten(connection: duckdb.DuckDBPyConnection) -> None:
    rng = random.Random(11)
    for size, share_open in ((10, 0.2), (20, 0.3), (40, 0.1)):
        samples: list[Times] = []
        for _ in range(400):
            lasts = [2.0 ** rng.gauss(0, 1) for _ in range(size)]
            until = [rng.expovariate(share_open) for _ in range(size)]
            samples.append([(min(a, b), a <= b) for a, b in zip(lasts, until, strict=True)])
        found = figures(connection, *samples)
        held = sum((f.low is None or f.low <= 1) and (f.high is None or f.high >= 1) for f in found)
        assert 0.88 <= held / len(found) <= 0.97, size
