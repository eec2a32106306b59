from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards import filters, words
from dashboards.filters import Window, window

FIRST, COVERED = date(2020, 2, 10), date(2026, 11, 12)
NONE = Window(FIRST, FIRST + timedelta(days=1))


def test_months_count_back_from_the_last_day_read_in_whole_periods() -> None:
    recent = (FIRST, date(2026, 10, 20))
    assert window("12 months", "month", recent, COVERED, NONE) == (date(2025, 12, 1), date(2026, 12, 1))
    assert window("3 months", "quarter", recent, COVERED, NONE) == (date(2026, 10, 1), date(2027, 1, 1))
    assert window("6 months", "week", recent, COVERED, NONE) == (date(2026, 5, 11), date(2026, 11, 16))


def test_a_dormant_history_counts_back_from_its_latest_deployment() -> None:
    assert filters.anchor(date(2026, 8, 14), COVERED) == COVERED
    assert filters.anchor(date(2026, 8, 13), COVERED) == date(2026, 8, 13)
    dormant = (FIRST, date(2021, 5, 3))
    assert window("12 months", "month", dormant, COVERED, NONE) == (date(2020, 6, 1), date(2021, 6, 1))
    assert window("All", "year", dormant, COVERED, NONE) == (date(2020, 1, 1), date(2022, 1, 1))


def test_a_short_history_is_not_padded() -> None:
    young = (date(2026, 10, 3), date(2026, 11, 1))
    assert window("12 months", "month", young, COVERED, NONE) == (date(2026, 10, 1), date(2026, 12, 1))


def test_custom_days_may_come_the_wrong_way_round() -> None:
    chosen = Window(date(2026, 4, 2), date(2026, 3, 5))
    assert window("Custom", "day", (FIRST, COVERED), COVERED, chosen) == (date(2026, 3, 4), date(2026, 4, 3))


@given(
    period=st.sampled_from(sorted(filters.MONTHS)),
    grain=st.sampled_from(sorted(words.GRAINS)),
    days=st.lists(st.dates(date(1970, 1, 1), date(2060, 1, 1)), min_size=5, max_size=5),
)
def test_every_choice_comes_to_whole_periods(period: str, grain: str, days: list[date]) -> None:
    first, latest = sorted(days[:2])
    since, until = window(period, grain, (first, latest), days[2], Window(*days[3:]))
    assert since < until
    assert filters.whole(Window(since, until), grain) == (since, until)


@pytest.mark.parametrize("period", ["3 months", "6 months", "12 months", "All"])
@given(days=st.lists(st.dates(date(1990, 1, 1), date(2030, 1, 1)), min_size=3, max_size=3))
def test_a_history_is_never_opened_on_nothing(period: str, days: list[date]) -> None:
    first, latest, covered = sorted(days)
    since, until = window(period, "month", (first, latest), covered, NONE)
    assert since <= latest < until
