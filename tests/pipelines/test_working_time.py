"""Working time: real seconds of the local days on which a team works."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from pipelines.working_time import Calendar, Day, days
from tests.pipelines.acme import DAY, HOUR, Acme
from tests.pipelines.reference.given import Calendar as Free
from tests.pipelines.reference.given import Service, Team

WEEKEND = ("saturday", "sunday")


def calendar(zone: str, country: str | None = None, subdivision: str | None = None) -> Calendar:
    return Calendar("it", zone, country, subdivision, WEEKEND)


def between(found: Calendar, first: date, last: date) -> list[Day]:
    return list(days(found, first, last))


def test_weekends_and_public_holidays_are_free() -> None:
    easter = between(calendar("UTC", "DE", "BE"), date(2026, 4, 2), date(2026, 4, 7))
    assert [day.is_working for day in easter] == [True, False, False, False, False, True]
    assert [day.working_seconds_before for day in easter] == [0, DAY, DAY, DAY, DAY, DAY]


def test_without_a_country_only_weekends_are() -> None:
    easter = between(calendar("UTC"), date(2026, 4, 2), date(2026, 4, 7))
    assert [day.is_working for day in easter] == [True, True, False, False, True, True]


def test_a_subdivision_has_holidays_of_its_own() -> None:
    womens_day = date(2027, 3, 8)
    assert [day.is_working for day in between(calendar("UTC", "DE", "BE"), womens_day, womens_day)] == [False]
    assert [day.is_working for day in between(calendar("UTC", "DE", "BY"), womens_day, womens_day)] == [True]


def test_a_holiday_at_the_weekend_is_free_on_the_day_it_is_kept() -> None:
    boxing_day = between(calendar("UTC", "GB", "ENG"), date(2026, 12, 26), date(2026, 12, 29))
    assert [day.is_working for day in boxing_day] == [False, False, False, True]


def test_a_weekend_may_be_on_other_days() -> None:
    friday = Calendar("it", "Asia/Riyadh", None, None, ("friday", "saturday"))
    assert [day.is_working for day in days(friday, date(2026, 3, 5), date(2026, 3, 8))] == [
        True, False, False, True,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("zone", "first", "hours"),
    [
        ("Europe/Berlin", date(2026, 3, 28), [24, 23, 24]),
        ("Europe/Berlin", date(2026, 10, 24), [24, 25, 24]),
        # Clocks go forward at midnight: that day begins at one o'clock.
        ("Africa/Cairo", date(2026, 4, 23), [24, 23, 24]),
        ("Australia/Lord_Howe", date(2026, 4, 4), [24, 24.5, 24]),
    ],
)
def test_days_last_as_long_as_they_do(zone: str, first: date, hours: list[float]) -> None:
    found = list(days(Calendar("it", zone, None, None, ()), first, first + timedelta(3)))
    lengths = [(after.starts_at - day.starts_at) / timedelta(hours=1) for day, after in pairwise(found)]
    assert lengths == hours
    assert found[-1].working_seconds_before == sum(hours) * HOUR


def test_a_day_that_a_zone_skipped_is_none() -> None:
    samoa = list(days(Calendar("it", "Pacific/Apia", None, None, ()), date(2011, 12, 29), date(2011, 12, 31)))
    assert [day.starts_at for day in samoa] == [datetime(2011, 12, day, 10, tzinfo=UTC) for day in (29, 30)]


@pytest.fixture(scope="module")
def acme() -> Acme:
    """Easter 2026 in a team that keeps it, one that does not, one of another zone, both, and none."""
    settings: dict[str, Any] = {
        "timezone": "Europe/Berlin",
        "calendar": Free("DE", "BE"),
        "teams": (
            Team("berlin"),
            Team("riyadh", calendar=Free(weekend=(4, 5)), timezone="Asia/Riyadh"),
            Team("york", timezone="America/New_York"),
        ),
        "services": (
            Service("a", ("a",), teams=("berlin",)),
            Service("b", ("b",), teams=("riyadh",)),
            Service("c", ("c",), teams=("york",)),
            Service("d", ("d",), teams=("berlin", "riyadh")),
            Service("e", ("e",)),
        ),
    }
    acme = Acme(**settings)
    for repository in "abcde":
        acme.commits(repository, "2026-03-27 12:00", "base", "change")
        acme.deploy(repository, "base", "2026-03-30 12:00")
        acme.pull_request(
            repository,
            1,
            "change",
            first="2026-03-27 12:00",  # Friday, and the clocks change that Sunday
            opened="2026-04-02 12:00",  # Maundy Thursday
            reviewed="2026-04-04 12:00",
            merged="2026-04-05 02:00",
        )
        acme.deploy(repository, "change", "2026-04-07 12:00")  # the Tuesday after
    return acme.build()


@pytest.mark.parametrize(
    ("service", "coding", "pickup", "review", "release"),
    [
        # Berlin is an hour ahead on that Friday and two from that Sunday on.
        ("a", 11 * HOUR + 3 * DAY + 14 * HOUR, 10 * HOUR, 0, 14 * HOUR),
        # Riyadh is three ahead and rests on Friday and Saturday: its Sunday begins on Saturday at 21:00.
        ("b", 4 * DAY + 15 * HOUR, 9 * HOUR, 5 * HOUR, 2 * DAY + 10 * HOUR),
        # New York is four behind, and keeps the workspace's holidays.
        ("c", 16 * HOUR + 3 * DAY + 8 * HOUR, 16 * HOUR, 0, 8 * HOUR),
        # Of two owners whose days differ neither goes first: the workspace's.
        ("d", 11 * HOUR + 3 * DAY + 14 * HOUR, 10 * HOUR, 0, 14 * HOUR),
        ("e", 11 * HOUR + 3 * DAY + 14 * HOUR, 10 * HOUR, 0, 14 * HOUR),
    ],
)
def test_stages_are_measured_by_the_days_of_the_owning_team(
    acme: Acme, service: str, coding: float, pickup: float, review: float, release: float
) -> None:
    stages = {"coding": coding, "pickup": pickup, "review": review, "release": release}
    assert {stage: acme.value(f"pr_{stage}_working", service) for stage in stages} == stages


def test_the_clock_goes_on_regardless(acme: Acme) -> None:
    found = {stage: acme.value(f"pr_{stage}", "a") for stage in ("coding", "pickup", "review", "release")}
    assert found == {"coding": 6 * DAY, "pickup": 2 * DAY, "review": 14 * HOUR, "release": 58 * HOUR}
