"""The period that a report is of: a whole week, month, quarter or year."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple, Self

import pandas as pd

from dashboards import words

GRAINS = ("week", "month", "quarter", "year")


class Period(NamedTuple):
    """Days from `since` up to and without `until`, which are one period of `grain`."""

    grain: str
    since: date
    until: date

    @classmethod
    def around(cls, day: date, grain: str) -> Self:
        """The one that a day is in."""
        found = pd.Period(day, words.GRAINS[grain])
        return cls(grain, found.start_time.date(), (found + 1).start_time.date())

    @classmethod
    def between(cls, since: date, until: date | None) -> Self:
        """The one with these bounds, a month without `until`; raises `ValueError` with the mend."""
        for grain in GRAINS if until else ("month",):
            found = cls.around(since, grain)
            if found.since == since and until in (None, found.until):
                return found
        month = cls.around(since, "month")
        raise ValueError(
            f"{since} to {until or 'the end of its month'} is no whole week, month, quarter or year."
            f" {month.label} is --since {month.since} --until {month.until} (exclusive)."
        )

    @property
    def label(self) -> str:
        """`Oct 2026`, `Q3 2026`, `week of 12 Oct 2026`, `2026`."""
        return words.period(self.since, self.grain)

    @property
    def name(self) -> str:
        """For files, and unique: `2026-10`, `2026-Q3`, `2026-10-12`, `2026`."""
        day = self.since
        names = {"year": f"{day:%Y}", "quarter": f"{day:%Y}-Q{day.month // 3 + 1}", "month": f"{day:%Y-%m}"}
        return names.get(self.grain, f"{day:%Y-%m-%d}")

    def back(self, periods: int) -> Period:
        """So many periods earlier; later, if negative."""
        found = pd.Period(self.since, words.GRAINS[self.grain]) - periods
        return Period.around(found.start_time.date(), self.grain)


def latest(covered_on: date, grain: str) -> Period:
    """The last one that was over on the last day read, which may be read only in part."""
    return Period.around(covered_on, grain).back(1)
