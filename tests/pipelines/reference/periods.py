"""Local days and the periods they fall in."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

GRAINS = ("day", "week", "month", "quarter", "year")


def local_day(moment: datetime, timezone: str) -> date:
    return moment.astimezone(ZoneInfo(timezone)).date()


def first_day(grain: str, day: date) -> date:
    """First day of the period that `day` falls in; weeks begin on Monday."""
    if grain == "day":
        return day
    if grain == "week":
        return day - timedelta(days=day.weekday())
    month = {"month": day.month, "quarter": (day.month - 1) // 3 * 3 + 1, "year": 1}[grain]
    return date(day.year, month, 1)


def next_first_day(grain: str, start: date) -> date:
    """First day of the period after the one that begins on `start`."""
    if grain in ("day", "week"):
        return start + timedelta(days=1 if grain == "day" else 7)
    months = start.year * 12 + start.month - 1 + {"month": 1, "quarter": 3, "year": 12}[grain]
    return date(months // 12, months % 12 + 1, 1)


def between(grain: str, first: date, last: date) -> Iterator[date]:
    """First days of the periods from the one with `first` to the one with `last`."""
    start = first_day(grain, first)
    while start <= last:
        yield start
        start = next_first_day(grain, start)


def day_begins(day: date, timezone: str) -> datetime:
    """The first instant of a local day, UTC."""
    return datetime.combine(day, time(), ZoneInfo(timezone)).astimezone(UTC)
