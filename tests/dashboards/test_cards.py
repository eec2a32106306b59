from __future__ import annotations

from typing import Any, get_args

import pandas as pd
import pytest

from dashboards import cards, comparing
from dashboards.queries import Metric, Scope
from dashboards.words import DAY
from tests.dashboards import adoption_tables

SHOP = Scope("service", "shop")


def complete(*rows: dict[str, Any], unit: str = "seconds", estimate: str = "median") -> pd.DataFrame:
    """Complete months from January 2026 on."""
    defaults = {
        "unit": unit,
        "estimate": estimate,
        "status": "ok",
        "partial": False,
        "low": None,
        "high": None,
    }
    defaults |= {"n": 9, "metric": "change_lead_time", "area": "delivery", "excluded": "{}"}
    starts = pd.date_range("2026-01-01", periods=len(rows), freq="MS")
    return pd.DataFrame([defaults | row for row in rows]).assign(period_start=starts)


@pytest.mark.parametrize("few", [0, 1])
def test_too_few_is_compared_with_nothing(few: int) -> None:
    rows: list[dict[str, Any]] = [{"value": DAY}, {"value": 2 * DAY}]
    rows[few]["status"] = "too_few"
    assert comparing.last_two(complete(*rows)) is None
    assert comparing.last_two(complete({"value": DAY})) is None


def compared(rows: pd.DataFrame, better: str, *, is_detectable: bool | None) -> comparing.Change:
    pair = comparing.last_two(rows)
    assert pair
    return comparing.compared(*pair, better, "month", is_detectable=is_detectable)


def test_a_change_is_good_or_bad_only_where_it_is_detectable_and_notable() -> None:
    rows = complete({"value": 5 * DAY}, {"value": 2 * DAY})
    assert compared(rows, "lower", is_detectable=True) == ("-3 days vs Jan 2026", "inverse", True)
    for unclear in (False, None):
        assert compared(rows, "lower", is_detectable=unclear).colour == "off"
    assert compared(rows, "", is_detectable=True).colour == "off"
    months = complete({"value": 2.5}, {"value": 2.42}, unit="per_week", estimate="frequency")
    assert compared(months, "higher", is_detectable=True) == ("-0.08 per week vs Jan 2026", "off", True)


def test_the_latest_period_with_data_is_shown_and_the_missing_one_named() -> None:
    rows = complete(
        {"value": DAY},
        {"value": DAY},
        {"value": None, "status": "no_data", "n": 0},
        {"value": DAY, "partial": True},
    )
    known, missing = comparing.latest(rows)
    assert list(known.index) == [0, 1]
    assert missing == pd.Timestamp("2026-03-01").date()
    assert comparing.latest(rows.iloc[:2])[1] is None
    assert comparing.latest(rows.iloc[2:3])[0].empty


def test_where_nothing_complete_has_data_what_is_so_far_is_shown_and_compared_with_nothing() -> None:
    rows = complete(
        {"value": None, "status": "no_data", "n": 0},
        {"value": DAY, "partial": True},
        {"value": DAY, "partial": True},
    )
    known, missing = comparing.latest(rows)
    assert list(known.index) == [1, 2]
    assert missing is None
    assert comparing.last_two(known) is None
    assert cards.caution(known.iloc[-1]) == ["Period not over"]


def test_what_a_figure_rests_on_is_said() -> None:
    row = complete({"value": DAY, "status": "too_few", "n": 1}, estimate="clustered_median").iloc[0]
    assert cards.notes(row, SHOP, None) == [
        "No interval: too few deployments", "n = 1 change"
    ]  # fmt: skip
    assert cards.caution(row) == ["Too few to compare"]
    row = complete({"value": DAY, "low": 3600.0, "high": 2.0 * DAY, "n": 12}).iloc[0]
    assert cards.notes(row, Scope("team", "a"), None) == ["90 % interval 1 h – 2 days", "n = 12 services"]


def test_what_is_left_out_is_said_in_words_the_most_first() -> None:
    excluded = '{"undated": 2, "bot": 12, "negative": 1, "baseline": 3}'
    row = complete({"value": DAY, "low": 3600.0, "high": 2.0 * DAY, "excluded": excluded}).iloc[0]
    assert cards.notes(row, SHOP, None)[-1] == (
        "Left out: 12 made by a bot, 3 of the first known deployment, so their ship date is unknown,"
        " 3 for other reasons"
    )


def test_a_median_that_is_not_reached_is_no_missing_data() -> None:
    rows = complete(
        {"value": None, "status": "no_data", "n": 3, "metric": "failed_deployment_recovery_time"},
        estimate="survival",
    )
    known, _ = comparing.latest(rows)
    assert cards.notes(known.iloc[-1], SHOP, None) == [
        "No interval: too few faults", "Fewer than half are over", "n = 3 faults"
    ]  # fmt: skip


def test_shares_differ_by_points() -> None:
    before = {"value": 0.2, "low": 0.15, "high": 0.25}
    after = {"value": 0.08, "low": 0.05, "high": 0.1}
    rows = complete(before, after, unit="ratio", estimate="rate")
    assert compared(rows, "lower", is_detectable=True) == ("-12 points vs Jan 2026", "inverse", True)


def test_every_metric_s_basis_has_a_word() -> None:
    others = {name for name in get_args(Metric) if not name.startswith(("pr_", "wip"))}
    assert set(cards.BASIS) == others - set(adoption_tables.METRICS)
    assert set(cards.ADOPTION_BASIS) < set(adoption_tables.METRICS)


def test_what_is_withheld_says_no_number() -> None:
    row = complete({"value": None, "status": "suppressed", "n": None}, unit="ratio", estimate="rate").iloc[0]
    assert cards.notes(row, Scope("team", "a"), None) == [
        "Fewer than three people work on it, or on what is beside it"
    ]
    assert cards.caution(row) == []


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_a_median_of_nothing_is_not_taken_for_no_failure(value: float) -> None:
    row = complete({"value": value, "low": 0.0, "high": 1.0}, unit="ratio", estimate="rate").iloc[0]
    said = f"At least half of the services are at {100 * value:.0f} %: see a longer grain"
    assert said in cards.notes(row, Scope("team", "a"), None)
    assert said not in cards.notes(row, SHOP, None)
