"""What peers get wrong about figures, periods and owners: T1 to T3 and T19 to T22 of DESIGN section 6."""

from __future__ import annotations

from itertools import count

import pandas as pd

from connectors.records import Membership
from dashboards.comparing import last_two
from tests.pipelines.acme import DAY, HOUR, Acme
from tests.pipelines.modelled import making
from tests.pipelines.reference.given import Service, Team

_models = making(
    "marts.change_fail_rate", "marts.change_lead_time", "marts.deployment_frequency", "marts.deployments",
    "marts.pr_coding", "marts.tenure", "marts.time_to_restore",
)  # fmt: skip


def shipped(acme: Acme, repository: str, *deployments: tuple[str, float]) -> None:
    """A baseline of 2025, then a deployment at each moment, of a commit authored so many hours before."""
    numbers = count()
    for moment, hours in (("2025-06-01 00:00", 0.0), *deployments):
        sha = f"{repository}-{next(numbers)}"
        authored = pd.Timestamp(moment) - pd.Timedelta(hours=hours)
        acme.commit(repository, sha, authored.isoformat())
        acme.deploy(repository, sha, moment)


def days(*hours: float) -> list[tuple[str, float]]:
    return [(f"2026-01-{day:02} 12:00", one) for day, one in enumerate(hours, start=10)]


def test_t01_the_median_of_an_even_number_is_the_mean_of_the_middle_two() -> None:
    acme = Acme()
    shipped(acme, "shop", *days(1, 100, 4, 2))
    shipped(acme, "till", *days(5))
    acme.build()
    assert acme.value("change_lead_time") == 3 * HOUR
    assert acme.value("change_lead_time", "Acme", level="organisation") == 4 * HOUR


def test_t03_fewer_than_five_are_shown_and_compared_with_nothing() -> None:
    acme = Acme()
    shipped(acme, "shop", *days(1, 1, 1, 1, 1), *((f"2026-02-{day:02} 12:00", 4.0) for day in range(1, 5)))
    acme.build()
    rows = [acme.row("change_lead_time", start=f"2026-0{month}-01", grain="month") for month in (1, 2)]
    assert [(row["value"], row["n"], row["status"]) for row in rows] == [
        (HOUR, 5, "ok"),
        (4 * HOUR, 4, "too_few"),
    ]
    complete = pd.DataFrame(rows).assign(estimate="clustered_median", excluded="{}")
    assert last_two(complete) is None
    assert last_two(complete.assign(status="ok")) is not None


def test_t19_days_weeks_and_years_are_those_of_the_workspaces_zone() -> None:
    berlin = Acme(timezone="Europe/Berlin", covered_until="2027-02-01 00:00")
    moments = (
        "2025-12-31 22:30",  # 23:30 on the last of the year
        "2025-12-31 23:30",  # half past midnight
        "2026-03-28 22:59",  # 23:59 on the Saturday before the clocks change
        "2026-03-29 21:59",  # 23:59 on the Sunday of 23 hours
        "2026-03-29 22:00",  # midnight
        "2026-10-25 22:59",  # 23:59 on the Sunday of 25 hours
        "2026-10-25 23:00",
    )
    shipped(berlin, "shop", *((moment, 0.0) for moment in moments))
    berlin.build()

    def deployments(grain: str, *starts: str) -> list[float | None]:
        return [berlin.value("deployments", start=start, grain=grain) for start in starts]

    assert deployments("year", "2025-01-01", "2026-01-01") == [2, 6]
    assert deployments("day", "2025-12-31", "2026-01-01", "2026-03-28", "2026-03-29") == [1, 1, 1, 1]
    assert deployments("day", "2026-03-30", "2026-10-25", "2026-10-26") == [1, 1, 1]
    # The week of the year's end begins in the old one.
    assert deployments("week", "2025-12-29", "2026-03-23", "2026-03-30") == [2, 2, 1]
    assert berlin.value("deployment_frequency", start="2026-03-23", grain="week") == 2
    assert berlin.value("deployment_frequency", start="2025-01-01", grain="year") == 7 * 2 / 365


def test_t20_a_period_that_is_not_over_is_marked_and_left_out_of_trends() -> None:
    acme = Acme(covered_until="2026-03-01 12:00", timezone="America/New_York")
    months = ("2026-01-01", "2026-02-01", "2026-03-01")
    hours = zip(months, (1.0, 2.0, 3.0), strict=True)
    shipped(acme, "shop", *((f"{month} 0{hour}:00", took) for month, took in hours for hour in range(5, 10)))
    acme.build()
    rows = [acme.row("change_lead_time", start=start, grain="month") for start in months]
    assert [row["partial"] for row in rows] == [False, False, True]
    # What fails may still do so within the window.
    ends = ("2026-02-27", "2026-02-28")
    assert [acme.row("change_fail_rate", start=end, grain="day")["partial"] for end in ends] == [False, True]
    trend = pd.DataFrame(rows).assign(estimate="clustered_median", excluded="{}")
    assert last_two(trend) is None
    assert last_two(trend.iloc[:2]) is not None


def test_t21_what_belongs_to_two_never_counts_twice_above_them() -> None:
    acme = Acme(
        services=(
            Service("web", ("shop",), teams=("front", "back")),
            Service("api", ("shop", "till"), teams=("front",)),
        ),
        teams=(Team("all"), Team("front", "all"), Team("back", "all")),
    )
    shipped(acme, "shop", ("2026-01-10 00:00", 24.0))
    shipped(acme, "till", ("2026-01-11 00:00", 24.0))
    acme.add("github", "github", *(Membership(team, "who", None, None) for team in ("front", "back")))
    acme.build()
    assert {key: acme.value("deployments", key) for key in ("web", "api")} == {"web": 1, "api": 2}
    teams = {key: acme.value("deployments", key, level="team") for key in ("front", "back", "all")}
    assert teams == {"front": 2, "back": 1, "all": 2}
    assert acme.value("deployments", "Acme", level="organisation") == 2
    # Above a service, n is services: web is one, in however many teams.
    assert acme.row("change_lead_time", "all", level="team")["n"] == 2


def test_t22_an_event_is_of_who_owned_the_service_then() -> None:
    acme = Acme(services=(Service("shop", ("shop",)),), teams=(Team("old"), Team("new")))
    acme.owned("shop", "old", "2026-01-10 00:00", "2026-01-20 00:00")
    acme.owned("shop", "new", "2026-01-20 00:00")
    shipped(
        acme,
        "shop",
        ("2026-01-05 00:00", 24.0),  # before anybody is known to have owned it
        ("2026-01-19 23:59", 48.0),
        ("2026-01-20 00:00", 72.0),
    )
    acme.incident("shop", "2026-01-19 23:59", "2026-01-25 00:00")
    acme.pull_request("shop", 1, merged="2026-01-20 00:00", first="2025-12-31 00:00")
    acme.build()
    months = {"start": "2026-01-01", "grain": "month", "level": "team"}
    assert [acme.value("deployments", team, **months) for team in ("old", "new")] == [2, 1]
    assert [acme.value("change_lead_time", team, **months) for team in ("old", "new")] == [1.5 * DAY, 3 * DAY]
    assert [acme.row("time_to_restore", team, **months)["n"] for team in ("old", "new")] == [1, 0]
    assert [acme.row("pr_coding", team, **months)["n"] for team in ("old", "new")] == [0, 1]
    tenures = acme.query("from marts.tenure where is_assumed")
    assert [(row["team"], f"{row['valid_until']:%m-%d}") for row in tenures] == [("old", "01-10")]
