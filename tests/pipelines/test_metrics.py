"""The metrics over small histories that can be checked by hand, and one real one against git."""

from __future__ import annotations

import json
import random
import statistics
from collections.abc import Iterator
from datetime import timedelta

import duckdb
import pytest
from scipy.stats import binom, t

from pipelines.modelling import MODELS
from tests.pipelines.modelled import making
from tests.pipelines.organisation import Organisation, utc
from tests.pipelines.told import Stories

_models = making(
    "marts.change", "marts.change_lead_time", "marts.coverage", "marts.deployment_frequency",
    "marts.deployments",
)  # fmt: skip

HOUR = 3600.0
DAY = 24 * HOUR

one = Stories(Organisation)
"""Of repositories that are services, in UTC."""
changing = Stories(Organisation)
"""The same; read, and read again."""


@one.told
def test_the_first_deployment_is_the_baseline_and_has_no_lead_times(shop: Organisation) -> Iterator[None]:
    shop.line("first", ("2026-01-01 00:00", "2026-01-02 00:00"), ("2026-01-03 00:00", "2026-01-03 06:00"))
    yield
    assert shop.rows("deployments")["first", "2026-01-01"]["value"] == 2
    row = shop.rows("change_lead_time")["first", "2026-01-01"]
    assert (row["value"], row["n"], row["status"]) == (6 * HOUR, 1, "too_few")
    assert json.loads(row["excluded"]) == {"baseline": 1}


@one.told
def test_an_even_number_of_changes_has_the_mean_of_the_middle_two_as_median(
    shop: Organisation,
) -> Iterator[None]:
    shop.commit("even", "base", "2026-01-01 00:00")
    shop.tag("even", "0.1.0", "base", "2026-01-01 01:00")
    before = "base"
    for number, hours in enumerate((1, 2, 4, 100)):
        authored = utc("2026-01-10 00:00") - timedelta(hours=hours)
        shop.commit("even", f"c{number}", authored.strftime("%Y-%m-%d %H:%M"), before)
        before = f"c{number}"
    shop.tag("even", "0.2.0", before, "2026-01-10 00:00")
    yield
    row = shop.rows("change_lead_time")["even", "2026-01-01"]
    assert (row["value"], row["n"]) == (3 * HOUR, 4)


@one.told
def test_bots_merges_and_negative_times_are_left_out_and_counted(shop: Organisation) -> Iterator[None]:
    shop.commit("left out", "base", "2026-01-01 00:00")
    shop.tag("left out", "0.1.0", "base", "2026-01-01 01:00")
    shop.commit("left out", "bot", "2026-01-02 00:00", "base", bot=True)
    shop.commit("left out", "late", "2026-01-09 00:00", "base")
    shop.commit("left out", "undated", None, "base")
    shop.commit("left out", "good", "2026-01-04 00:00", "undated")
    shop.commit("left out", "merge", "2026-01-04 00:00", "bot", "late", "good")
    shop.tag("left out", "0.2.0", "merge", "2026-01-05 00:00")
    yield
    row = shop.rows("change_lead_time")["left out", "2026-01-01"]
    assert (row["value"], row["n"]) == (DAY, 1)
    assert json.loads(row["excluded"]) == {"baseline": 1, "bot": 1, "negative": 1, "undated": 1}


@one.told
def test_a_tag_on_the_live_commit_is_no_deployment_but_one_on_an_earlier_commit_is(
    shop: Organisation,
) -> Iterator[None]:
    shop.commit("tagged", "a", "2026-01-01 00:00")
    shop.commit("tagged", "b", "2026-01-02 00:00", "a")
    shop.tag("tagged", "1.0.0", "a", "2026-01-03 00:00")
    shop.tag("tagged", "1.1.0", "b", "2026-01-04 00:00")
    shop.tag("tagged", "1.1.1", "b", "2026-01-05 00:00")  # the same commit again
    shop.tag("tagged", "1.0.1", "a", "2026-01-06 00:00")  # back to the first
    shop.tag("tagged", "nightly", "b", "2026-01-07 00:00")  # no release
    yield
    rows = shop.rows("deployments", grain="day")
    assert {day: row["value"] for (key, day), row in rows.items() if key == "tagged" and row["value"]} == {
        "2026-01-03": 1,
        "2026-01-04": 1,
        "2026-01-06": 1,
    }


@one.told
def test_tags_of_one_moment_are_ordered_by_name(shop: Organisation) -> Iterator[None]:
    shop.commit("at once", "a", "2026-01-01 00:00")
    shop.commit("at once", "b", "2026-01-02 00:00", "a")
    for name, sha in (("1.0.2", "a"), ("1.0.0", "a"), ("1.0.1", "b")):
        shop.tag("at once", name, sha, "2026-01-03 00:00")
    yield
    refs = shop.connection.execute(
        "select ref from core.deployment inner join core.chain_deployment using (deployment_id)"
        " where repository_id = 'at once' order by sequence"
    ).fetchall()
    assert refs == [("1.0.0",), ("1.0.1",), ("1.0.2",)]


def test_days_are_cut_in_the_workspaces_timezone_across_a_change_of_clocks() -> None:
    berlin = Organisation(timezone="Europe/Berlin")
    berlin.line(
        "shop",
        ("2026-03-01 00:00", "2026-03-28 22:59"),  # 23:59 on Saturday
        ("2026-03-02 00:00", "2026-03-28 23:01"),  # 00:01 on Sunday, the day of 23 hours
        ("2026-03-03 00:00", "2026-03-29 21:59"),  # 23:59 on Sunday, in summer time
        ("2026-03-04 00:00", "2026-03-29 22:01"),  # 00:01 on Monday
        ("2026-12-31 23:30", "2026-12-31 23:30"),  # next year
    )
    days = berlin.build().rows("deployments", grain="day")
    assert [day for (_, day), row in days.items() if row["value"]] == [
        "2026-03-28",
        "2026-03-29",
        "2026-03-30",
        "2027-01-01",
    ]
    assert days["shop", "2026-03-29"]["value"] == 2
    weeks = berlin.rows("deployments", grain="week")
    assert weeks["shop", "2026-03-23"]["value"] == 3
    assert weeks["shop", "2026-03-30"]["period_end"].isoformat() == "2026-04-06"
    assert berlin.rows("deployments", grain="year")["shop", "2027-01-01"]["value"] == 1


@one.told
def test_an_empty_period_is_a_frequency_of_zero_and_a_lead_time_of_nothing(
    shop: Organisation,
) -> Iterator[None]:
    shop.line("resting", ("2026-01-01 00:00", "2026-01-02 00:00"), ("2026-03-01 00:00", "2026-03-02 00:00"))
    yield
    frequency = shop.rows("deployment_frequency", key="resting")
    assert list(frequency) == [
        ("resting", "2026-01-01"),
        ("resting", "2026-02-01"),
        ("resting", "2026-03-01"),
    ]
    february = frequency["resting", "2026-02-01"]
    assert (february["value"], february["n"], february["status"]) == (0, 0, "ok")
    assert frequency["resting", "2026-01-01"]["value"] == pytest.approx(7 / 31)
    assert (february["low"], february["high"]) == (None, None)
    lead_time = shop.rows("change_lead_time")["resting", "2026-02-01"]
    assert (lead_time["value"], lead_time["n"], lead_time["status"]) == (None, 0, "no_data")


def test_a_period_that_the_data_does_not_cover_to_its_end_is_partial() -> None:
    # Until 23:59 on the last of February, there.
    shop = Organisation(timezone="America/New_York", covered_until="2026-03-01 04:59")
    shop.line("shop", ("2026-01-01 00:00", "2026-01-05 00:00"), ("2026-02-01 00:00", "2026-02-03 00:00"))
    rows = shop.build().rows("deployments")
    assert [row["partial"] for row in rows.values()] == [False, False, True]
    shop.covered_until = utc("2026-03-01 05:00")
    assert [row["partial"] for row in shop.build().rows("deployments").values()] == [False, False, False]


def test_above_a_service_figures_are_medians_over_services_and_counts_are_sums() -> None:
    acme = Organisation()
    for name, releases in (("a", 1), ("b", 2), ("c", 9)):
        days = [(f"2026-01-{day:02} 00:00", f"2026-01-{day:02} 12:00") for day in range(1, releases + 1)]
        acme.line(name, *days)
    acme.build()
    frequency = acme.rows("deployment_frequency", "organisation")["Acme", "2026-01-01"]
    assert frequency["value"] == pytest.approx(2 * 7 / 31)
    assert (frequency["n"], frequency["status"]) == (3, "too_few")
    assert acme.rows("deployments", "organisation")["Acme", "2026-01-01"]["value"] == 12
    lead_time = acme.rows("change_lead_time", "organisation")["Acme", "2026-01-01"]
    assert (lead_time["value"], lead_time["n"]) == (DAY / 2, 2)
    assert json.loads(lead_time["excluded"]) == {"baseline": 3, "services_without_figure": 1}


def test_a_team_spans_the_teams_below_it_and_what_is_of_no_service_stays_out() -> None:
    acme = Organisation(
        services={"web": ("front", ["shop-*"]), "api": ("back", ["till"]), "batch": (None, ["jobs"])},
        teams={"product": None, "front": "product", "back": "product", "idle": None},
    )
    for name in ("shop-a", "shop-b", "till", "jobs", "stray"):
        acme.line(name, ("2026-01-01 00:00", "2026-01-02 00:00"))
    acme.build()
    teams = acme.rows("deployments", "team")
    assert {key: row["value"] for (key, _), row in teams.items()} == {"product": 3, "front": 2, "back": 1}
    assert acme.rows("deployments", "organisation")["Acme", "2026-01-01"]["value"] == 4
    assert {key for key, _ in acme.rows("deployments", "repository")} == {
        "shop-a",
        "shop-b",
        "till",
        "jobs",
        "stray",
    }
    assert acme.rows("deployments")["web", "2026-01-01"]["value"] == 2
    stray = acme.connection.execute(
        "select service from marts.coverage where repository = 'stray'"
    ).fetchall()
    assert stray == [(None,)]


def test_a_repository_of_two_services_counts_once_above_them() -> None:
    acme = Organisation(
        services={"web": ("front", ["shop"]), "api": ("front", ["shop", "till"])}, teams={"front": None}
    )
    acme.line("shop", ("2026-01-01 00:00", "2026-01-02 00:00"), ("2026-01-03 00:00", "2026-01-04 00:00"))
    acme.line("till", ("2026-01-01 00:00", "2026-01-02 00:00"))
    acme.build()
    assert {key: row["value"] for (key, _), row in acme.rows("deployments").items()} == {"web": 2, "api": 3}
    for level in ("team", "organisation"):
        assert [row["value"] for row in acme.rows("deployments", level).values()] == [3]


def test_a_sum_over_repositories_that_were_never_active_together_is_zero_between_them() -> None:
    acme = Organisation(services={"web": (None, ["old", "new"])})
    acme.line("old", ("2026-01-01 00:00", "2026-01-02 00:00"))
    acme.line("new", ("2026-04-01 00:00", "2026-04-02 00:00"))
    rows = acme.build().rows("deployments", "organisation")
    assert [(row["value"], row["n"], row["status"]) for row in rows.values()] == [
        (1, 1, "ok"),
        (0, 0, "ok"),
        (0, 0, "ok"),
        (1, 1, "ok"),
    ]


def test_where_no_deployment_is_known_there_is_no_figure_rather_than_zero() -> None:
    acme = Organisation()
    acme.commit("untagged", "a", "2026-01-01 00:00")
    acme.line("shop", ("2026-01-01 00:00", "2026-01-02 00:00"))
    acme.build()
    for metric in ("deployments", "deployment_frequency"):
        row = acme.rows(metric)["untagged", "2026-01-01"]
        assert (row["value"], row["n"], row["status"]) == (None, 0, "no_data")
        above = acme.rows(metric, "organisation")["Acme", "2026-01-01"]
        assert above["value"] == acme.rows(metric)["shop", "2026-01-01"]["value"]
        assert json.loads(above["excluded"]) == {"services_without_figure": 1}


def test_today_is_there_however_soon_after_the_last_sync() -> None:
    shop = Organisation(covered_until="2026-01-31 12:00")
    shop.line("shop", ("2026-01-30 00:00", "2026-01-30 06:00"))
    shop.build()
    shop.commit("shop", "next", "2026-01-31 12:01", "c0")
    shop.covered_until = utc("2026-01-31 12:02")
    assert ("shop", "2026-01-31") in shop.build().rows("deployments", grain="day")


@pytest.mark.parametrize(
    ("url", "commit"),
    [
        ("https://git.example.com/a/b.git", "https://git.example.com/a/b/commit/abc"),
        ("https://git.example.com:8443/a/b/", "https://git.example.com:8443/a/b/commit/abc"),
        ("http://git.example.com/b", "http://git.example.com/b/commit/abc"),
        ("https://bitbucket.org/a/b", "https://bitbucket.org/a/b/commits/abc"),
        ("/srv/git/b.git", None),
        ("file:///srv/git/b.git", None),
    ],
)
def test_the_page_of_a_commit(url: str, commit: str | None) -> None:
    with duckdb.connect() as connection:
        connection.execute((MODELS / "macros.sql").read_text())
        assert connection.execute("select commit_url(?, 'abc')", [url]).fetchall() == [(commit,)]


@one.told
def test_parallel_release_branches_ship_a_change_once_at_the_first(shop: Organisation) -> Iterator[None]:
    shop.commit("parallel", "base", "2026-01-01 00:00")
    shop.tag("parallel", "1.0.0", "base", "2026-01-01 12:00")
    shop.commit("parallel", "fix", "2026-01-02 00:00", "base")
    shop.commit("parallel", "feature", "2026-01-02 00:00", "fix")
    shop.tag("parallel", "2.0.0", "feature", "2026-01-04 00:00")
    shop.tag("parallel", "1.0.1", "fix", "2026-01-03 00:00")
    yield
    shipped = shop.connection.execute(
        "select sha, ref from marts.change where left_out is null and repository = 'parallel' order by sha"
    ).fetchall()
    assert shipped == [("feature", "2.0.0"), ("fix", "1.0.1")]


@changing.told
def test_what_is_removed_from_the_workspace_leaves_the_figures(acme: Organisation) -> Iterator[None]:
    for name in ("kept", "removed"):
        acme.line(name, ("2026-01-01 00:00", "2026-01-02 00:00"))
    yield
    assert {"kept", "removed"} <= {key for key, _ in acme.rows("deployments")}
    acme.forget("removed")
    yield
    keys = {key for key, _ in acme.rows("deployments")}
    assert ("kept" in keys, "removed" in keys) == (True, False)


@one.told
def test_the_interval_of_lead_time_is_woodruffs_with_deployments_as_clusters(
    shop: Organisation,
) -> Iterator[None]:
    rng = random.Random(7)
    shop.commit("clusters", "base", "2026-01-01 00:00")
    shop.tag("clusters", "0.0.0", "base", "2026-01-01 00:01")
    clusters: list[list[float]] = []
    before = "base"
    for day in range(2, 16):
        finished = utc(f"2026-01-{day:02} 00:00")
        clusters.append([])
        for number in range(rng.randint(1, 6)):
            minutes = rng.randint(1, 5000)
            sha = f"{day}-{number}"
            shop.commit(
                "clusters", sha, (finished - timedelta(minutes=minutes)).strftime("%Y-%m-%d %H:%M"), before
            )
            clusters[-1].append(minutes * 60.0)
            before = sha
        shop.tag("clusters", f"0.0.{day}", before, f"2026-01-{day:02} 00:00")
    yield
    row = shop.rows("change_lead_time")["clusters", "2026-01-01"]

    times = sorted(value for cluster in clusters for value in cluster)
    median = statistics.median(times)
    share = sum(value <= median for value in times) / len(times)
    residuals = [sum((value <= median) - share for value in cluster) for cluster in clusters]
    variance = len(clusters) / (len(clusters) - 1) * sum(r * r for r in residuals) / len(times) ** 2
    margin = t.ppf(0.95, len(clusters) - 1) * variance**0.5
    assert row["value"] == median
    assert row["low"] == pytest.approx(linear_quantile(times, 0.5 - margin))
    assert row["high"] == pytest.approx(linear_quantile(times, 0.5 + margin))


def linear_quantile(ascending: list[float], p: float) -> float:
    position = (len(ascending) - 1) * p
    below = int(position)
    above = min(below + 1, len(ascending) - 1)
    return ascending[below] + (position - below) * (ascending[above] - ascending[below])


@one.told
def test_fewer_than_ten_deployments_have_no_interval(shop: Organisation) -> Iterator[None]:
    shop.line(
        "nine", *((f"2026-01-{day:02} 00:00", f"2026-01-{day:02} 0{day % 7}:00") for day in range(1, 11))
    )
    yield
    row = shop.rows("change_lead_time")["nine", "2026-01-01"]
    assert (row["n"], row["status"], row["low"], row["high"]) == (9, "ok", None, None)


@pytest.fixture(scope="module")
def teams() -> Organisation:
    """Teams of 4, 5, 8 and 21 services, of which each was deployed once more than the one before it."""
    sizes = (4, 5, 8, 21)
    names = {size: [f"{size}-{number:02}" for number in range(size)] for size in sizes}
    acme = Organisation(
        services={name: (str(size), [name]) for size in sizes for name in names[size]},
        teams=dict.fromkeys(map(str, sizes)),
    )
    for size in sizes:
        for number, name in enumerate(names[size]):
            days = [(f"2026-01-{day:02} 00:00", f"2026-01-{day:02} 12:00") for day in range(1, number + 2)]
            acme.line(name, *days)
    return acme.build()


@pytest.mark.parametrize("services", [4, 5, 8, 21])
def test_the_interval_across_services_is_of_order_statistics(teams: Organisation, services: int) -> None:
    row = teams.rows("deployment_frequency", "team")[str(services), "2026-01-01"]
    figures = [7 * (number + 1) / 31 for number in range(services)]
    lower = [k for k in range(1, services + 1) if binom.cdf(k - 1, services, 0.5) <= 0.05]
    upper = [k for k in range(1, services + 1) if binom.sf(k - 1, services, 0.5) <= 0.05]
    assert row["value"] == pytest.approx(statistics.median(figures))
    assert row["low"] == (pytest.approx(figures[max(lower) - 1]) if lower else None)
    assert row["high"] == (pytest.approx(figures[min(upper) - 1]) if upper else None)


@changing.told
def test_incremental_and_full_builds_end_alike(acme: Organisation) -> Iterator[None]:
    acme.line("shop", ("2026-01-01 00:00", "2026-01-02 00:00"), ("2026-01-03 00:00", "2026-01-04 00:00"))
    yield
    acme.commit("shop", "next", "2026-01-05 00:00", "c1")
    acme.tag("shop", "1.1.0", "next", "2026-01-06 00:00")
    acme.tag("shop", "0.9.0", "c0", "2025-12-31 00:00")  # a release found late, before the baseline
    yield
    incremental = acme.rows("change_lead_time", grain="day")
    assert acme.build(is_full=True).rows("change_lead_time", grain="day") == incremental
    assert incremental["shop", "2026-01-06"]["value"] == DAY
