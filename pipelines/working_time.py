"""Working days: which local days of a calendar are worked, and how many seconds of them came before each.

A working day counts whole, from local midnight to local midnight, in real seconds: 24 hours, or
23 or 25 where the clocks change. With the seconds before each day at hand, SQL has those between
two moments by a subtraction.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple, get_args
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa

from pipelines.settings import Weekday

SCHEMA = """
create schema if not exists calendar;
create or replace table calendar.day (
    calendar varchar, utc_day date, starts_at timestamptz, ends_at timestamptz, is_working boolean,
    working_seconds_before double
);
"""
# A row for each day in UTC that a local day has part in, by which moments find it.
_INSERT = """
    insert into calendar.day by name
    select
        *,
        unnest(generate_series(
            date_trunc('day', starts_at at time zone 'UTC'),
            (ends_at - interval 1 microsecond) at time zone 'UTC',
            interval 1 day
        ))::date as utc_day
    from incoming_day
"""
_FIRST = date(1970, 1, 2)
"""No calendar goes further back: moments before it are faults of clocks."""
_DAY = timedelta(1)
_WEEKDAYS = get_args(Weekday)


class Calendar(NamedTuple):
    """Which days are free: weekends, and the public holidays of a country where there is one."""

    name: str
    timezone: str
    country: str | None
    subdivision: str | None
    weekend: Collection[str]
    """Names of weekdays, as `saturday`."""


class Day(NamedTuple):
    """One local day."""

    calendar: str
    starts_at: datetime
    ends_at: datetime
    is_working: bool
    working_seconds_before: float


def update(connection: duckdb.DuckDBPyConnection) -> int:
    """Fill `calendar.day` with every calendar of `core.calendar`; returns the number of days.

    The days are those between the first and the last moment of a pull request or its deployment.
    """
    connection.execute(SCHEMA)
    (span,) = connection.execute(_SPAN).fetchall()
    if span[0] is None:
        return 0
    calendars = connection.execute(
        "select distinct calendar, timezone, country, subdivision, weekend from core.calendar order by all"
    ).fetchall()
    found = [day for row in calendars for day in days(Calendar(*row), *span)]
    columns = zip(Day._fields, zip(*found, strict=True), strict=True)
    connection.register("incoming_day", pa.table(dict(columns)))
    connection.execute(_INSERT)
    connection.unregister("incoming_day")
    return len(found)


def days(calendar: Calendar, first: date, last: date) -> Iterator[Day]:
    """The calendar's local days from `first` to `last`, in order."""
    zone = ZoneInfo(calendar.timezone)
    first = max(first, _FIRST)
    free: Collection[date] = ()
    if calendar.country:
        import holidays  # Takes a fifth of a second.

        years = range(first.year, last.year + 1)
        free = holidays.country_holidays(calendar.country, subdiv=calendar.subdivision, years=years)
    worked = 0.0
    start = _begins(first, zone)
    for number in range((last - first).days + 1):
        day = first + number * _DAY
        end = _begins(day + _DAY, zone)
        # Where a zone crossed the date line it skipped a day.
        if end > start:
            is_working = _WEEKDAYS[day.weekday()] not in calendar.weekend and day not in free
            yield Day(calendar.name, start, end, is_working, worked)
            worked += is_working * (end - start).total_seconds()
        start = end


def _begins(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)


# With a day to either side, since the calendars' zones are not the workspace's.
_SPAN = """
    with moment as (
        select
            least(opened_at, ready_at, first_commit_at) as first,
            greatest(opened_at, ready_at, merged_at) as last
        from raw.pull_request
        where merged_at is not null
        union all
        select first_authored_at, merged_at from core.change where is_pull_request
        union all
        select shipped_at, shipped_at from core.shipment
    )

    select min(first)::date - 1, max(last)::date + 1
    from moment
"""
