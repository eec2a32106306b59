"""Change points, on series whose truth is known because they are made here."""

from __future__ import annotations

from datetime import date, timedelta

import duckdb
import numpy as np
import pytest
from numpy.typing import NDArray

from pipelines import change_points
from pipelines.change_points import FEWEST_WEEKS, MOST_WEEKS

Floats = NDArray[np.float64]

SERIES = 200
MONDAY = date(2024, 1, 1)


def noise(weeks: int, likeness: float = 0.0) -> Floats:
    """Series of a normal noise whose neighbouring weeks correlate so."""
    chance = np.random.default_rng(weeks)
    series = chance.normal(size=(SERIES, weeks + 30))
    for week in range(1, weeks + 30):
        series[:, week] += likeness * series[:, week - 1]
    return series[:, 30:]


def marked(series: Floats) -> float:
    """Share of series in which anything is marked."""
    return float(np.mean([bool(change_points.change_points(one)) for one in series]))


@pytest.mark.parametrize("weeks", [FEWEST_WEEKS, 52, MOST_WEEKS])
def test_without_a_change_at_most_one_series_in_twenty_is_marked(weeks: int) -> None:
    chance = np.random.default_rng(weeks)
    rates = chance.binomial(10, 0.1, size=(SERIES, weeks)) / 10
    heavy = chance.standard_t(2, size=(SERIES, weeks))
    skewed = chance.lognormal(size=(SERIES, weeks))
    for series in (noise(weeks), noise(weeks, 0.3), heavy, skewed, rates):
        assert marked(series) <= 0.05


def test_a_drift_has_no_place_where_it_changed() -> None:
    assert marked(noise(78) + np.linspace(0, 3, 78)) <= 0.05


def test_a_clear_step_is_found_where_it_is() -> None:
    series = noise(60)
    series[:, 35:] += 3
    found = [change_points.change_points(one) for one in series]
    assert np.mean([len(points) == 1 for points in found]) >= 0.95
    assert np.mean([abs(points[0].position - 35) <= 1 for points in found if points]) >= 0.95


def test_six_slow_weeks_begin_and_end() -> None:
    series = 10 + noise(78)
    series[:, 46:52] += 8
    found = [change_points.change_points(one) for one in series]
    assert np.mean([[point.position for point in points] == [46, 52] for points in found]) >= 0.7
    point = next(points[0] for points in found if points)
    assert point.before == pytest.approx(10, abs=1)
    assert point.after == pytest.approx(18, abs=1.5)
    assert 0 < point.p_value <= change_points.SIGNIFICANCE


def test_a_few_outliers_are_no_level() -> None:
    series = noise(60)
    series[:, [11, 30, 31, 52]] += 1_000
    assert marked(series) <= 0.05


def test_a_few_outliers_hide_no_change() -> None:
    series = noise(60)
    series[:, 35:] += 3
    series[:, [11, 20, 52]] += 1_000
    assert marked(series) >= 0.7


@pytest.mark.parametrize("value", [0.0, 0.1, 3e9])
def test_what_never_changes_has_no_change(value: float) -> None:
    assert change_points.change_points(np.full(40, value)) == []


def test_a_change_between_constants_is_found_despite_their_lack_of_spread() -> None:
    (point,) = change_points.change_points(np.repeat([0.0, 1.0], 20))
    assert (point.position, point.before, point.after) == (20, 0, 1)


def test_holm_charges_each_test_for_those_tried() -> None:
    assert change_points.holm([0.04, 0.01, 0.03]) == [pytest.approx(p) for p in (0.06, 0.03, 0.06)]


@pytest.fixture
def marts() -> duckdb.DuckDBPyConnection:
    """Weeks of two services; `shop` steps from 10 to 20 after 40 weeks and a gap."""
    connection = duckdb.connect()
    connection.execute("create schema marts")
    connection.execute(
        "create table marts.ci_duration_p50 (level varchar, key varchar, grain varchar,"
        " period_start date, value double, status varchar, partial boolean,"
        " subject_key ubigint as (hash(level, key)))"
    )
    rows: list[tuple[object, ...]] = []
    for week in range(60):
        start = MONDAY + timedelta(weeks=week + 5 * (week >= 50))
        wobble = (week * 7 % 10) / 10
        rows.append(("service", "shop", "week", start, (10 if week < 40 else 20) + wobble, "ok", False))
        rows.append(("repository", "shop", "week", start, (10 if week < 40 else 20) + wobble, "ok", False))
        rows.append(("service", "shop", "day", start, (10 if week < 40 else 20) + wobble, "ok", False))
        status = "too_few" if week < 60 - FEWEST_WEEKS + 1 else "ok"
        rows.append(("service", "till", "week", start, 10 if week < 50 else 90, status, False))
    rows.append(("service", "till", "week", MONDAY - timedelta(weeks=9), 10, "ok", True))
    connection.executemany("insert into marts.ci_duration_p50 values (?, ?, ?, ?, ?, ?, ?)", rows)
    connection.execute(
        "create schema core; create table core.figure_subject as"
        " select distinct level, key, subject_key from marts.ci_duration_p50"
    )
    return connection


def test_the_pipeline_marks_complete_ok_weeks_alone(marts: duckdb.DuckDBPyConnection) -> None:
    change_points.update(marts)
    ((metric, level, key, grain, start, before, after, p_value, method),) = marts.execute(
        "from analysis.change_point"
    ).fetchall()
    assert (metric, level, key, grain) == ("ci_duration_p50", "service", "shop", "week")
    assert start == MONDAY + timedelta(weeks=40)
    assert (before, after) == (pytest.approx(10.45, abs=0.1), pytest.approx(20.45, abs=0.1))
    assert p_value <= change_points.SIGNIFICANCE
    assert method == change_points.METHOD


def test_only_the_last_two_years_count(marts: duckdb.DuckDBPyConnection) -> None:
    marts.execute(
        "insert into marts.ci_duration_p50"
        " select 'service', 'shop', 'week', ? + 7 * n::int, 20.5 + n % 3, 'ok', false from range(?) as t(n)",
        [MONDAY + timedelta(weeks=65), MOST_WEEKS],
    )
    change_points.update(marts)
    assert marts.execute("from analysis.change_point").fetchall() == []


def test_weeks_before_the_first_known_deployment_are_no_level(marts: duckdb.DuckDBPyConnection) -> None:
    marts.execute("update marts.ci_duration_p50 set value = 0 where value < 20")
    marts.execute("create table marts.deployment_frequency as from marts.ci_duration_p50")
    change_points.update(marts)
    metrics = marts.execute("select distinct metric from analysis.change_point").fetchall()
    assert metrics == [("ci_duration_p50",)]


def test_every_build_marks_anew(marts: duckdb.DuckDBPyConnection) -> None:
    change_points.update(marts)
    first = marts.execute("from analysis.change_point").fetchall()
    change_points.update(marts)
    assert marts.execute("from analysis.change_point").fetchall() == first
    marts.execute("truncate marts.ci_duration_p50")
    change_points.update(marts)
    assert marts.execute("from analysis.change_point").fetchall() == []
