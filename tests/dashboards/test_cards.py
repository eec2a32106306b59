from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from dashboards import cards
from dashboards.queries import Scope
from dashboards.words import DAY

SHOP = Scope("service", "shop")


def complete(*rows: dict[str, Any], unit: str = "seconds") -> pd.DataFrame:
    """Complete months from January 2026 on."""
    defaults = {"unit": unit, "status": "ok", "partial": False, "low": None, "high": None, "n": 9}
    starts = pd.date_range("2026-01-01", periods=len(rows), freq="MS")
    return pd.DataFrame([defaults | row for row in rows]).assign(period_start=starts)


@pytest.mark.parametrize("few", [0, 1])
def test_too_few_is_compared_with_nothing(few: int) -> None:
    rows: list[dict[str, Any]] = [{"value": DAY}, {"value": 2 * DAY}]
    rows[few]["status"] = "too_few"
    assert cards.compared(complete(*rows), "lower", "month") is None
    assert cards.compared(complete({"value": DAY}), "lower", "month") is None


def test_a_change_is_good_or_bad_only_where_the_intervals_part() -> None:
    before = {"value": 5 * DAY, "low": 4 * DAY, "high": 6 * DAY}
    clear = {"value": 2 * DAY, "low": 1 * DAY, "high": 3 * DAY}
    noise = {"value": 4 * DAY, "low": 3 * DAY, "high": 5 * DAY}
    assert cards.compared(complete(before, clear), "lower", "month") == (
        "-3 days vs Jan 2026",
        "inverse",
        False,
    )
    assert cards.compared(complete(before, noise), "lower", "month") == ("-24 h vs Jan 2026", "off", True)
    unknown = {"value": 2 * DAY}
    assert cards.compared(complete(before, unknown), "lower", "month") == (
        "-3 days vs Jan 2026",
        "off",
        False,
    )


def test_a_frequency_is_a_census_and_months_differ_in_length() -> None:
    months = complete({"value": 2.5}, {"value": 2.42}, unit="per_week")
    assert cards.compared(months, "higher", "month") == ("-0.08 per week vs Jan 2026", "off", False)
    months = complete({"value": 2.5}, {"value": 3.5}, unit="per_week")
    assert cards.compared(months, "higher", "month") == ("+1 per week vs Jan 2026", "normal", False)


def test_the_latest_period_with_data_is_shown_and_the_missing_one_named() -> None:
    rows = complete(
        {"value": DAY}, {"value": DAY}, {"value": None, "status": "no_data"}, {"value": DAY, "partial": True}
    )
    known, missing = cards.latest(rows)
    assert list(known.index) == [0, 1]
    assert missing == pd.Timestamp("2026-03-01").date()
    assert cards.latest(rows.iloc[:2])[1] is None
    assert cards.latest(rows.iloc[2:])[0].empty


def test_what_a_figure_rests_on_is_said() -> None:
    row = complete({"value": DAY, "status": "too_few", "n": 1}).iloc[0]
    assert cards.notes(row, "change_lead_time", SHOP, None) == [
        "No interval: too few deployments", ":orange-badge[Too few to compare] n = 1 change"
    ]  # fmt: skip
    row = complete({"value": DAY, "low": 3600.0, "high": 2.0 * DAY, "n": 12}).iloc[0]
    assert cards.notes(row, "change_lead_time", Scope("team", "a"), None) == [
        "90 % interval 1 h – 2 days", "n = 12 services"
    ]  # fmt: skip
