"""A metric's latest period against the one before it."""

from __future__ import annotations

from datetime import date
from typing import Literal, NamedTuple

import pandas as pd

from dashboards import words
from dashboards.queries import Metric

FIVE: tuple[Metric, ...] = (
    "deployment_frequency", "change_lead_time", "change_fail_rate", "failed_deployment_recovery_time",
    "rework_rate",
)  # fmt: skip
"""DORA's five, judged together wherever they are shown, so that no page contradicts another."""

CENSUS = ("count", "frequency", "given", "quick_ratio")
"""Estimates that count everything there is."""

NOTABLE = 0.1
"""Share of the figure before from which a change is good or bad: months differ in length by as much."""


class Change(NamedTuple):
    """What to say of the difference from the period before."""

    text: str
    colour: Literal["normal", "inverse", "off"]
    is_detectable: bool | None
    """More than chance brings about; None where that cannot be told."""


def latest(trend: pd.DataFrame) -> tuple[pd.DataFrame, date | None]:
    """The complete periods up to the last with data, and the last complete one if that is another.

    Where no complete period has data, the one that is not over yet.
    """
    has_data = trend["status"].ne("no_data") | trend["n"].gt(0)
    complete = trend[~trend["partial"]]
    known = complete[has_data[~trend["partial"]][::-1].cummax()[::-1]]
    if known.empty:
        return trend[trend["partial"] & has_data], None
    missing = len(known) < len(complete)
    return known, complete["period_start"].iloc[-1].date() if missing else None


def last_two(complete: pd.DataFrame) -> tuple[pd.Series, pd.Series] | None:
    """The last complete period and before it the one before; None unless both are complete and `ok`."""
    last = complete.iloc[-2:]
    if len(last) < 2 or not last["status"].eq("ok").all() or last["partial"].any():
        return None
    return last.iloc[0], last.iloc[1]


def compared(
    before: pd.Series, now: pd.Series, better: str, grain: str, *, is_detectable: bool | None
) -> Change:
    """How a period differs from the one before, coloured where that is clear and worth a colour."""
    difference = now["value"] - before["value"]
    text = words.difference(difference, now["unit"]) if difference else "unchanged"
    text += f" vs {words.period(before['period_start'], grain)}"
    is_notable = difference != 0 and abs(difference) >= NOTABLE * before["value"]
    colour: Literal["normal", "inverse", "off"] = "off"
    if is_detectable and is_notable and better in ("higher", "lower"):
        colour = "normal" if better == "higher" else "inverse"
    return Change(text, colour, is_detectable)
