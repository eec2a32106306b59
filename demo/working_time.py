"""Working time: people work from Monday to Friday, by day.

Instants are whole seconds since 1970, UTC.
"""

from __future__ import annotations

MINUTE = 60
HOUR = 60 * MINUTE
DAY = 24 * HOUR
WEEK = 7 * DAY

OPENS = 7 * HOUR
WORKING_DAY = 10 * HOUR
FIRST_MONDAY = 4 * DAY


def worked(at: float) -> float:
    """Working seconds from the first Monday of 1970 to `at`."""
    day, second = divmod(at - FIRST_MONDAY, DAY)
    week, weekday = divmod(day, 7)
    today = min(max(second - OPENS, 0), WORKING_DAY) if weekday < 5 else 0
    return (week * 5 + min(weekday, 5)) * WORKING_DAY + today


def instant(working_seconds: float) -> int:
    """The instant at which so much has been worked since the first Monday of 1970."""
    day, second = divmod(working_seconds, WORKING_DAY)
    week, weekday = divmod(day, 5)
    return int(FIRST_MONDAY + week * WEEK + weekday * DAY + OPENS + second)


def nearest(at: float, share: float) -> int:
    """The closest instant at which people work; `share`, from 0 to 1, spreads what comes to the same."""
    done = worked(at)
    if done % WORKING_DAY:
        return int(at)
    opening, closing = instant(done), instant(done - 1)
    return int(closing - share * HOUR if at - closing < opening - at else opening + share * HOUR)


def is_working(at: float) -> bool:
    """Whether people work at that instant."""
    return worked(at) % WORKING_DAY > 0
