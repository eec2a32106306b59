"""What is said of a figure in two periods, and of a service among its peers."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

import duckdb
import pandas as pd
import pytest

from dashboards import queries, verdicts
from dashboards.queries import Scope
from dashboards.verdicts import BACK, Verdict
from dashboards.view import Cached, View
from pipelines.home import Home
from pipelines.warehouse import published
from tests.dashboards import snapshot
from tests.dashboards.snapshot import Plan

OCTOBER = date(2026, 10, 1)
SERVICES = ("shop", "till", "maps", "feed", "mail", "pay", "cart")
PLAN = Plan(services=dict.fromkeys(SERVICES, "Web"), every_days=9, last_on=date(2026, 11, 10))
OF_SHOP = "level = 'service' and key = 'shop' and grain"
CHANGES = f"""
    update marts.change_fail_rate set value = 0.1, low = 0.08, high = 0.12, n = 300, status = 'ok'
        where {OF_SHOP} = 'month' and period_start in ('2026-09-01', '2025-10-01');
    update marts.change_fail_rate set value = 0.3, low = 0.27, high = 0.33, n = 300, status = 'ok'
        where {OF_SHOP} = 'month' and period_start = '2026-10-01';
    update marts.rework_rate set status = 'too_few', n = 3
        where {OF_SHOP} = 'month' and period_start = '2026-10-01';
    update marts.time_to_restore set status = 'suppressed', value = null
        where {OF_SHOP} = 'month' and period_start = '2026-10-01';
    update marts.change_lead_time set low = null, high = null, status = 'ok'
        where {OF_SHOP} = 'month' and period_start = '2026-10-01';
    update marts.change_lead_time set low = 1, high = 2, status = 'ok'
        where {OF_SHOP} = 'month' and period_start = '2026-09-01';
    delete from marts.pr_pickup where {OF_SHOP} = 'month' and period_start = '2026-09-01';
    update marts.batch_size set partial = true
        where {OF_SHOP} = 'month' and period_start = '2026-10-01';
    update marts.deployment_frequency set status = 'ok', partial = false, value = case
        -- The week that begins on 28 September is September's.
        when period_start between '2026-09-01' and '2026-09-28' then 1
        when period_start between '2026-10-01' and '2026-10-31' then 6 end
        where {OF_SHOP} = 'week';
    update marts.service set tier = 'tier-2' where service = 'cart';
    update marts.service set tier = null where service = 'pay';
"""


@pytest.fixture(scope="module")
def view(tmp_path_factory: pytest.TempPathFactory) -> View:
    home = Home(tmp_path_factory.mktemp("home"))
    snapshot.publish(home, PLAN, "compared")
    with duckdb.connect(home.published / "compared.duckdb") as connection:
        connection.execute(CHANGES)
    current = published(home)
    assert current
    span = date(2025, 12, 1), date(2026, 12, 1)
    return View(Cached(current), ZoneInfo("UTC"), Scope("service", "shop"), "month", *span)


def verdict(view: View, metric: queries.Metric, against: str = "The period before") -> Verdict:
    (found,) = verdicts.verdicts(view, [metric], OCTOBER, BACK[against]["month"])
    return found


def test_a_clear_change_is_detectable_and_bad_where_lower_is_better(view: View) -> None:
    found = verdict(view, "change_fail_rate")
    assert (found.is_detectable, found.direction) == (True, "higher")
    assert found.difference
    assert found.difference.value == pytest.approx(0.2)
    assert found.badge("lower") == ":orange-badge[:material/thumb_down: Detectably higher]"
    assert found.badge("higher") == ":green-badge[:material/thumb_up: Detectably higher]"
    assert found.badge("") == ":blue-badge[Detectably higher]"


def test_a_year_before_is_the_same_month(view: View) -> None:
    found = verdict(view, "change_fail_rate", "A year before")
    assert found.before["period_start"] == pd.Timestamp(2025, 10, 1)
    assert found.is_detectable


def test_a_frequency_is_compared_by_the_weeks_that_begin_in_the_periods(view: View) -> None:
    found = verdict(view, "deployment_frequency")
    assert found.difference
    assert found.difference.value == 5
    assert found.is_detectable


@pytest.mark.parametrize(
    ("metric", "why"),
    [
        ("rework_rate", "Too few to compare in Oct 2026: n = 3"),
        ("time_to_restore", "Withheld in Oct 2026"),
        ("change_lead_time", "Too few for an interval"),
        ("pr_pickup", "No figure in Sep 2026"),
        ("batch_size", "Oct 2026 is not over"),
    ],
)
def test_without_a_difference_it_says_why(view: View, metric: queries.Metric, why: str) -> None:
    found = verdict(view, metric)
    assert (found.difference, found.is_detectable, found.missing) == (None, None, why)
    assert found.badge("lower") == f":gray-badge[Cannot be told] {why}"


def test_all_are_told_in_a_sentence(view: View) -> None:
    metrics: list[queries.Metric] = ["change_fail_rate", "deployment_frequency", "rework_rate"]
    found = verdicts.verdicts(view, metrics, OCTOBER, 1)
    assert verdicts.summary(found, view) == (
        "**2 of 2 figures differ detectably** from Sep 2026: Change fail rate is higher, Deployment frequency"
        " is higher. Of 1 figure it cannot be told."
    )
    assert verdicts.summary(found[2:], view) == "**Nothing can be compared** with Sep 2026."
    rows = verdicts.table(found)
    assert rows["is_detectable"].to_list() == [True, True, None]
    assert rows["now_period_start"].eq(pd.Timestamp(OCTOBER)).all()


def test_periods_are_those_that_are_over_for_all(view: View) -> None:
    assert verdicts.periods(view, ["change_fail_rate"])[:2] == [OCTOBER, date(2026, 9, 1)]
    assert verdicts.periods(view, ["change_fail_rate", "batch_size"])[0] == date(2026, 9, 1)


def test_peers_are_of_the_same_tier_and_kind_and_have_no_name(view: View) -> None:
    assert queries.traits(view.source, "shop") == ("tier-1", "service")
    assert queries.traits(view.source, "pay") is None
    rows = queries.peers(view.source, "ci_duration_p50", "shop", "month", OCTOBER)
    assert [*rows.columns] == ["value", "low", "high", "n", "is_chosen"]
    comparable = view.source.frame(
        "select key from marts.ci_duration_p50 where level = 'service' and grain = 'month'"
        " and period_start = '2026-10-01' and status = 'ok' and key not in ('cart', 'pay')"
    )
    assert len(rows) == len(comparable) >= 3
    assert rows["value"].is_monotonic_increasing
    assert rows["is_chosen"].sum() == ("shop" in set(comparable["key"]))


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (2.5, 3.5, "Higher than 50 % to 75 % of its 4 peers, by its interval."),
        (0.0, 9.0, "Higher than 0 % to 100 % of its 4 peers, by its interval."),
        (None, None, "Higher than 50 % of its 4 peers."),
    ],
)
def test_a_place_is_as_exact_as_the_interval(low: float | None, high: float | None, said: str) -> None:
    own = pd.Series({"value": 3.0, "low": low, "high": high})
    assert verdicts.place(own, pd.Series([1.0, 2.0, 3.0, 4.0])) == said
