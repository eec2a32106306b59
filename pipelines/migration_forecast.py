"""Forecasts of every migration, for the whole organisation: one for each complete week."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import groupby, pairwise
from operator import itemgetter
from typing import NamedTuple

import duckdb
import numpy as np

from pipelines.forecast import forecast
from pipelines.inserting import insert

FAN_WEEKS = 104
"""Weeks that a fan shows at most."""

_SCHEMA = """
create schema if not exists analysis;
create table if not exists analysis.forecast_made (
    weekly bigint[], remaining bigint, weeks_50 bigint, weeks_85 bigint, method varchar);
create or replace table analysis.migration_forecast (
    offer varchar, level varchar, key varchar, grain varchar, period_start date, weeks bigint,
    seconds_50 double, seconds_85 double, finish_50_on date, finish_85_on date, method varchar);
create or replace temp table week_forecast (
    offer varchar, key varchar, week_end date, weeks bigint, finish_50_on date, finish_85_on date,
    method varchar);
"""
_FAN = """
create or replace table analysis.migration_fan (
    offer varchar, week_start date, scope bigint, done_low bigint, done_middle bigint, done_high bigint)
"""
# Done and scope at the end of each complete week; weeks that are withheld have neither.
_WEEKS = """
    select 'migration:' || capability, key, period_end, round(value * n)::bigint, n
    from marts.migration_done
    where level = 'organisation' and grain = 'week'
        and period_end <= (select max(as_of) + 1 from marts.adoption_period)
    order by capability, period_start
"""
# Every period has the forecast of the last complete week in it or before.
_PERIODS = """
    insert into analysis.migration_forecast
    select
        f.offer, 'organisation', f.key, p.grain, p.period_start, f.weeks,
        86400 * greatest(f.finish_50_on - p.as_of, 0), 86400 * greatest(f.finish_85_on - p.as_of, 0),
        f.finish_50_on, f.finish_85_on, f.method
    from (select distinct offer from week_forecast) as o
    cross join marts.adoption_period as p
    asof inner join week_forecast as f on f.offer = o.offer and f.week_end <= p.as_of + 1
"""


class _Made(NamedTuple):
    """A forecast, as it is kept: a rebuild makes those of past weeks no second time."""

    weeks_50: int | None
    weeks_85: int | None
    method: str | None


def update(connection: duckdb.DuckDBPyConnection) -> None:
    """Fill `analysis.migration_forecast` from `marts.migration_done`."""
    connection.execute(_SCHEMA)
    made = {
        (tuple(weekly), remaining): _Made(*found)
        for weekly, remaining, *found in connection.execute("from analysis.forecast_made").fetchall()
    }
    known = len(made)
    forecasts = [
        (one.offer, one.organisation, end, n, *_days(end, _made(made, tuple(one.weekly[:n]), remaining)))
        for one in _migrations(connection)
        for n, (end, remaining) in enumerate(one.ends)
        if n
    ]
    insert(connection, "week_forecast", forecasts)
    kept = [([*weekly], remaining, *found) for (weekly, remaining), found in [*made.items()][known:]]
    insert(connection, "analysis.forecast_made", kept)
    connection.execute(_PERIODS)
    connection.execute("drop table week_forecast")


def update_fan(connection: duckdb.DuckDBPyConnection) -> None:
    """Fill `analysis.migration_fan`: what is likely to be done by the end of each week to come."""
    connection.execute(_FAN)
    rows = [(one.offer, *row) for one in _migrations(connection) for row in _fan(one)]
    insert(connection, "analysis.migration_fan", rows)


class _Migration(NamedTuple):
    """A migration at the ends of its complete weeks, oldest first; those that are withheld are left out."""

    offer: str
    organisation: str
    ends: list[tuple[date, int]]
    """(Day after the week, what remains)."""
    weekly: list[int]
    """What was done between these: one fewer. What falls back takes nothing from what was done in a week."""
    done: int
    """At the last."""


def _migrations(connection: duckdb.DuckDBPyConnection) -> Iterator[_Migration]:
    rows = connection.execute(_WEEKS).fetchall()
    for (offer, organisation), group in groupby(rows, itemgetter(0, 1)):
        weeks = [(end, done, scope) for _, _, end, done, scope in group if scope]
        if weeks:
            done = [each for _, each, _ in weeks]
            weekly = [max(after - before, 0) for before, after in pairwise(done)]
            yield _Migration(offer, organisation, [(e, s - d) for e, d, s in weeks], weekly, done[-1])


def _made(made: dict[tuple[tuple[int, ...], int], _Made], weekly: tuple[int, ...], remaining: int) -> _Made:
    if (weekly, remaining) not in made:
        found = forecast(weekly, remaining)
        made[weekly, remaining] = (
            _Made(found.finish(0.5), found.finish(0.85), found.method)
            if found
            else _Made(None if remaining else 0, None if remaining else 0, None)
        )
    return made[weekly, remaining]


def _days(end: date, found: _Made) -> tuple[date | None, date | None, str | None]:
    """Last days of the weeks by whose end it is done; `end` is the day after the last complete week."""

    def day(weeks: int | None) -> date | None:
        return None if weeks is None else end + timedelta(weeks=weeks, days=-1)

    return day(found.weeks_50), day(found.weeks_85), found.method


def _fan(migration: _Migration) -> Iterator[tuple[date, int, int, int, int]]:
    """(Monday, scope, low, middle, high) of the weeks until it is done in 85 % of the draws."""
    end, remaining = migration.ends[-1]
    found = forecast(migration.weekly, remaining)
    if found is None:
        return
    weeks = min(found.finish(0.85) or FAN_WEEKS, FAN_WEEKS)
    bounds = np.quantile(found.done[:, :weeks], [0.15, 0.5, 0.85], axis=0, method="lower")
    levels = migration.done + np.minimum(bounds, remaining).astype(int)
    for week, (low, middle, high) in enumerate(levels.T.tolist()):
        yield end + timedelta(weeks=week), migration.done + remaining, low, middle, high
