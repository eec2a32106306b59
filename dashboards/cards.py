"""The card of a metric: its last complete period, and what changed since the one before."""

from __future__ import annotations

import json
from datetime import date
from typing import Literal, NamedTuple

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboards import queries, words
from dashboards.definitions import CENSUS, explain
from dashboards.view import View

BASIS = {
    "batch_size": "deployment", "change_fail_rate": "deployment", "change_lead_time": "change",
    "ci_duration_p50": "run", "ci_duration_p90": "run", "ci_flaky_rate": "tested commit",
    "ci_queue_p50": "run", "ci_queue_p90": "run", "deployment_days": "week",
    "deployment_frequency": "deployment", "deployment_success_rate": "attempt", "deployments": "deployment",
    "failed_deployment_recovery_time": "fault", "rework_rate": "deployment", "time_to_restore": "incident",
}  # fmt: skip
"""What a service's figure rests on; those of pull requests are left out."""

ADOPTION_BASIS = {
    "activation": "team", "developer_reach": "developer", "first_deployment_p50": "team",
    "first_deployment_p75": "team", "outside_contribution": "pull request", "self_service_share": "request",
    "template_success": "run", "template_time": "run",
}  # fmt: skip
"""What a figure of adoption rests on, at every level, where that is not services."""

_NOTABLE = 0.1
"""Share of the figure before from which a change is good or bad: months differ in length by as much."""


class Change(NamedTuple):
    """What to say of the difference from the period before."""

    text: str
    colour: Literal["normal", "inverse", "off"]
    overlaps: bool
    """Both periods have an interval, and these overlap."""


def row(view: View, *metrics: queries.Metric) -> None:
    """Cards beside one another."""
    for column, metric in zip(st.columns(len(metrics)), metrics, strict=True):
        card(view, metric, column)


def card(view: View, metric: queries.Metric, place: DeltaGenerator) -> None:
    """Draw the card in a place on the page."""
    told = queries.definition(view.source, metric)
    known, missing = latest(recent(view, metric))
    with place.container(border=True, height="stretch", key=f"card-{metric}"):
        if known.empty:
            st.metric(str(told["title"]), "No data")
            st.caption(f"Nothing in {words.span(view.since, view.until)}")
        else:
            shown = known.iloc[-1]
            change = compared(known, str(told["better"] or ""), view.grain)
            st.metric(
                str(told["title"]),
                _value(shown),
                change.text if change else None,
                delta_color=change.colour if change else "off",
                delta_arrow="off" if change and change.text.startswith("unchanged") else "auto",
            )
            lines = [f"**{words.period(shown['period_start'], view.grain)}**"]
            lines += notes(shown, view.scope, change)
            if missing is not None:
                lines.append(f"The latest there is: no data in {words.period(missing, view.grain)}")
            st.caption("  \n".join(lines))
        st.space("stretch")
        explain(view, metric, key=f"card-{metric}")


def _value(shown: pd.Series) -> str:
    if pd.notna(shown["value"]):
        return words.figure(shown["value"], shown["unit"])
    return "Withheld" if shown["status"] == "suppressed" else "Not reached"


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


def recent(view: View, metric: queries.Metric) -> pd.DataFrame:
    """The trend, begun two periods early so that there is a complete one and one before it."""
    since = (pd.Period(view.since, words.GRAINS[view.grain]) - 2).start_time.date()
    return queries.trend(view.source, metric, view.scope, view.grain, since, view.until)


def compared(complete: pd.DataFrame, better: str, grain: str) -> Change | None:
    """The last complete period against the one before; None unless both are complete and `ok`."""
    last = complete.iloc[-2:]
    if len(last) < 2 or not last["status"].eq("ok").all() or last["partial"].any():
        return None
    before, now = last.iloc[0], last.iloc[1]
    difference = now["value"] - before["value"]
    text = words.difference(difference, now["unit"]) if difference else "unchanged"
    text += f" vs {words.period(before['period_start'], grain)}"
    is_known = bool(last[["low", "high"]].notna().all(axis=None))
    overlaps = bool(is_known and now["low"] <= before["high"] and now["high"] >= before["low"])
    # An estimate without an interval may have moved by chance; a census cannot.
    is_clear = not overlaps if is_known else now["estimate"] in CENSUS
    is_notable = difference != 0 and abs(difference) >= _NOTABLE * before["value"]
    colour: Literal["normal", "inverse", "off"] = "off"
    if is_clear and is_notable and better in ("higher", "lower"):
        colour = "normal" if better == "higher" else "inverse"
    return Change(text, colour, overlaps)


def notes(shown: pd.Series, scope: queries.Scope, change: Change | None) -> list[str]:
    """The lines below the figure: interval, what it rests on, what is left out, and what to make of it."""
    if shown["status"] == "suppressed":
        return ["Fewer than three people work on it, or on what is beside it"]
    lines: list[str] = []
    is_sum = shown["estimate"] == "count"
    is_adoption = shown["area"] == "adoption"
    if is_adoption:
        noun = ADOPTION_BASIS.get(shown["metric"], "service")
    else:
        noun = BASIS.get(shown["metric"], "pull request") if scope.level == "service" or is_sum else "service"
    if pd.notna(shown["low"]) and pd.notna(shown["high"]):
        low, high = (words.figure(shown[bound], shown["unit"]) for bound in ("low", "high"))
        lines.append(f"90 % interval {low} – {high}")
    elif shown["estimate"] not in CENSUS:
        is_clustered = shown["estimate"] == "clustered_median" and scope.level == "service"
        lines.append(f"No interval: too few {'deployment' if is_clustered else noun}s")
    if shown["metric"] == "deployment_frequency" and shown["value"] > 0:
        lines.append(words.rhythm(shown["value"]))
    if pd.isna(shown["value"]):
        lines.append("Fewer than half are over")
    badges = {
        "Too few to compare": shown["status"] == "too_few",
        "Period not over": shown["partial"],
    }
    said = "".join(f":orange-badge[{badge}] " for badge, holds in badges.items() if holds)
    lines.append(f"{said}n = {words.count(int(shown['n']), noun)}")
    if shown["estimate"] == "rate" and not is_adoption and noun == "service" and shown["value"] in (0, 1):
        lines.append(
            f"At least half of the services are at {words.share(shown['value'])}: see a longer grain"
        )
    if change and change.overlaps:
        lines.append("No clear change: the intervals overlap")
    if excluded := json.loads(shown["excluded"]):
        lines.append(f"Left out: {words.left_out(excluded)}")
    return lines
