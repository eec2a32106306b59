"""Differences of two periods, on figures that the models' own estimates make of data whose truth is known."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from string import Template
from typing import NamedTuple

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from pipelines import differences
from pipelines.differences import LEVEL, Difference, Estimate
from pipelines.modelling import MODELS
from pipelines.statistics import register
from surveys.statistics import two_proportions, wilson

Floats = NDArray[np.float64]
PAIRS = 300
ERROR = (0.1 * 0.9 / PAIRS) ** 0.5
"""Standard error of a share of one in ten of so many."""
Draw = Callable[[np.random.Generator], "Data"]


class Data(NamedTuple):
    """What is observed of many subjects: a row for each subject."""

    values: Floats
    clusters: int = 0
    """Values of a subject that share one, where they do."""


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        register(connection)
        connection.execute((MODELS / "macros.sql").read_text())
        yield connection


def estimates(connection: duckdb.DuckDBPyConnection, estimate: str, data: Data) -> list[Estimate | None]:
    """The figure of each row, by the models' SQL; None where it has no interval."""
    subjects, each = data.values.shape
    columns = {
        "subject_id": np.repeat(np.arange(subjects), each),
        "value": data.values.ravel(),
        "cluster": np.tile(np.arange(each) // max(1, data.clusters), subjects),
        "hit": data.values.ravel() > 0,
    }
    connection.register("given", pa.table(columns))
    connection.execute(
        "create or replace temp table observation as"
        " select *, 1 as period_id, null::text as left_out from given"
    )
    file, share = ("quantile", "0.9" if estimate == "p90" else "0.5")
    if estimate in ("rate", "clustered_median"):
        file = estimate
    else:
        ordered = (MODELS / "ordered.sql").read_text()
        connection.execute(f"create or replace temp table ordered as\n{ordered}")
    query = Template((MODELS / "estimates" / f"{file}.sql").read_text()).substitute(quantile=share)
    rows = connection.execute(f"select value, low, high from ({query}) order by subject_id").fetchall()
    return [None if None in row else Estimate(*row) for row in rows]


def compared(
    connection: duckdb.DuckDBPyConnection, estimate: str, draw: Draw, shift: float = 0
) -> list[Difference]:
    """Pairs of subjects that differ by `shift`, compared."""
    chance = np.random.default_rng(5)
    before, now = draw(chance), draw(chance)
    pairs = zip(
        estimates(connection, estimate, before),
        estimates(connection, estimate, now._replace(values=now.values + shift)),
        strict=True,
    )
    found = [differences.of_estimates(a, b) for a, b in pairs if a and b]
    assert len(found) > 0.9 * PAIRS
    return found


def rate(n: int, share: float) -> Draw:
    return lambda chance: Data(chance.binomial(1, share, (PAIRS, n)).astype(float))


def times(n: int) -> Draw:
    return lambda chance: Data(chance.lognormal(size=(PAIRS, n)))


def shared(deployments: int, each: int) -> Draw:
    """Half of the variance is between the deployments."""

    def draw(chance: np.random.Generator) -> Data:
        between = chance.normal(size=(PAIRS, deployments)).repeat(each, axis=1)
        return Data(np.exp(between + chance.normal(size=between.shape)), each)

    return draw


NOTHING_CHANGED = [
    ("rate", rate(20, 0.1)), ("rate", rate(80, 0.03)), ("rate", rate(40, 0.5)),
    ("median", times(8)), ("median", times(40)), ("p90", times(60)),
    ("median", lambda chance: Data(chance.poisson(1.7, (PAIRS, 20)).astype(float))),
    ("clustered_median", shared(12, 4)), ("clustered_median", shared(30, 3)),
]  # fmt: skip


@pytest.mark.parametrize(("estimate", "draw"), NOTHING_CHANGED)
def test_where_nothing_changed_about_one_in_ten_is_found_at_most(
    connection: duckdb.DuckDBPyConnection, estimate: str, draw: Draw
) -> None:
    found = compared(connection, estimate, draw)
    assert np.mean([each.p_value < LEVEL for each in found]) <= LEVEL + 2 * ERROR


@pytest.mark.parametrize(
    ("estimate", "draw", "shift"), [("median", times(40), 1.5), ("clustered_median", shared(30, 3), 3)]
)
def test_a_clear_change_is_found(
    connection: duckdb.DuckDBPyConnection, estimate: str, draw: Draw, shift: float
) -> None:
    found = compared(connection, estimate, draw, shift)
    assert np.mean([each.p_value < LEVEL and each.value > 0 for each in found]) >= 0.9
    held = [each.low <= shift <= each.high for each in found]
    assert np.mean(held) >= 1 - LEVEL - 2 * ERROR


def test_of_two_shares_the_interval_is_newcombes() -> None:
    for (x1, n1), (x2, n2) in [((3, 40), (9, 35)), ((0, 12), (12, 12)), ((20, 60), (5, 60))]:
        was, now = wilson(x1, n1), wilson(x2, n2)
        found = differences.of_estimates(
            Estimate(was.value, was.low, was.high), Estimate(now.value, now.low, now.high)
        )
        expected = two_proportions((x1, n1), (x2, n2))
        assert found[:3] == pytest.approx((expected.value, expected.low, expected.high))
        assert found.p_value == pytest.approx(expected.p_value, abs=0.02)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_difference_may_be_clear_although_the_intervals_overlap(sign: int) -> None:
    before, now = Estimate(10, 8, 12), Estimate(sign * 3.2 + 10, sign * 3.2 + 8, sign * 3.2 + 12)
    found = differences.of_estimates(before, now)
    assert found.p_value < LEVEL
    assert found.low * found.high > 0


def test_the_interval_leaves_out_nothing_exactly_where_chance_is_below_the_level() -> None:
    for shift in np.linspace(-6, 6, 49):
        found = differences.of_estimates(Estimate(10, 9, 13), Estimate(10 + shift, 8 + shift, 10.5 + shift))
        assert (found.low > 0 or found.high < 0) == (found.p_value < LEVEL)


def test_what_has_no_width_differs_or_does_not() -> None:
    one, two = Estimate(1, 1, 1), Estimate(2, 2, 2)
    assert differences.of_estimates(one, two) == Difference(1, 1, 1, 0)
    assert differences.of_estimates(one, one) == Difference(0, 0, 0, 1)


@pytest.mark.parametrize("weeks", [4, 13])
@pytest.mark.parametrize("mean", [0.3, 2.0, 10.0])
def test_weeks_that_came_by_chance_differ_one_time_in_ten_at_most(weeks: int, mean: float) -> None:
    chance = np.random.default_rng(5)
    poisson = chance.poisson(mean, (2, PAIRS, weeks))
    bursts = chance.negative_binomial(1, 1 / (1 + mean), (2, PAIRS, weeks))
    for before, now in (poisson, bursts):
        found = [chance_of_weeks(a, b) for a, b in zip(before, now, strict=True)]
        assert np.mean([each < LEVEL for each in found]) <= LEVEL + 2 * ERROR


def test_twice_as_many_in_each_of_thirteen_weeks_are_found() -> None:
    chance = np.random.default_rng(5)
    before, now = chance.poisson(3, (PAIRS, 13)), chance.poisson(6, (PAIRS, 13))
    found = [chance_of_weeks(a, b) for a, b in zip(before, now, strict=True)]
    assert np.mean([each < LEVEL for each in found]) >= 0.9


def test_weeks_that_happen_to_be_alike_prove_nothing() -> None:
    found = differences.of_weeks([1, 1, 1, 1], [2, 2, 2, 2])
    assert found is not None
    assert found.p_value > LEVEL
    assert found.low < 0 < found.value == 1 < found.high


def test_without_weeks_enough_there_is_no_answer_and_without_anything_no_difference() -> None:
    assert differences.of_weeks([1, 2, 3], [1, 2, 3, 4]) is None
    assert differences.of_weeks([0] * 4, [0] * 4) == Difference(0, 0, 0, 1)


def test_those_looked_at_together_are_charged_together() -> None:
    def with_chance(p_value: float) -> Difference:
        return Difference(1, 0, 2, p_value)

    alone = differences.detectable([with_chance(0.04)])
    beside = differences.detectable([with_chance(0.04), None, with_chance(0.5), with_chance(0.02)])
    among_many = differences.detectable([with_chance(0.04), *[with_chance(0.5)] * 4])
    assert (alone, beside, among_many[0]) == ([True], [True, None, False, True], False)


def chance_of_weeks(before: Floats, now: Floats) -> float:
    found = differences.of_weeks(before.astype(float).tolist(), now.astype(float).tolist())
    assert found is not None
    return found.p_value
