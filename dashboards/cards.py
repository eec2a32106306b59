"""The card of a metric: its last complete period, and what changed since the one before."""

from __future__ import annotations

from datetime import date
from typing import Literal, NamedTuple

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboards import queries, words
from dashboards.definitions import explain
from dashboards.view import View

_BASIS = {"change_lead_time": "change", "deployment_frequency": "deployment", "deployments": "deployment"}

_NOTABLE = 0.1
"""Share of the figure before from which a change is good or bad: months differ in length by as much."""


class Change(NamedTuple):
    """What to say of the difference from the period before."""

    text: str
    colour: Literal["normal", "inverse", "off"]
    overlaps: bool
    """Both periods have an interval, and these overlap."""


def card(view: View, metric: queries.Metric, place: DeltaGenerator) -> None:
    """Draw the card in a place on the page."""
    told = queries.definition(view.source, metric)
    known, missing = latest(recent(view, metric))
    with place.container(border=True, height="stretch", key=f"card-{metric}"):
        if known.empty:
            st.metric(str(told["title"]), "No data")
            st.caption(f"Nothing in {words.span(view.since, view.until)}")
        else:
            row = known.iloc[-1]
            change = compared(known, str(told["better"] or ""), view.grain)
            st.metric(
                f"{told['title']} · {words.period(row['period_start'], view.grain)}",
                words.figure(row["value"], row["unit"]),
                change.text if change else None,
                delta_color=change.colour if change else "off",
                delta_arrow="off" if change and change.text.startswith("unchanged") else "auto",
            )
            lines = notes(row, metric, view.scope, change)
            if missing is not None:
                lines.append(f"The latest there is: no data in {words.period(missing, view.grain)}")
            st.caption("  \n".join(lines))
        st.space("stretch")
        explain(view, metric, key=f"card-{metric}")


def latest(trend: pd.DataFrame) -> tuple[pd.DataFrame, date | None]:
    """The complete periods up to the last with data, and the last complete one if that is another."""
    complete = trend[~trend["partial"]]
    with_data = complete["status"].ne("no_data")
    known = complete[with_data[::-1].cummax()[::-1]]
    missing = len(known) and len(known) < len(complete)
    return known, complete["period_start"].iloc[-1].date() if missing else None


def recent(view: View, metric: queries.Metric) -> pd.DataFrame:
    """The trend, begun two periods early so that there is a complete one and one before it."""
    since = (pd.Period(view.since, words.GRAINS[view.grain]) - 2).start_time.date()
    return queries.trend(view.source, metric, view.scope, view.grain, since, view.until)


def compared(complete: pd.DataFrame, better: str, grain: str) -> Change | None:
    """The last complete period against the one before; None unless both are `ok`."""
    if len(complete) < 2 or not complete["status"].iloc[-2:].eq("ok").all():
        return None
    before, now = complete.iloc[-2], complete.iloc[-1]
    difference = now["value"] - before["value"]
    if difference == 0:
        text = "unchanged"
    else:
        text = ("+" if difference > 0 else "-") + words.figure(abs(difference), now["unit"])
    text += f" vs {words.period(before['period_start'], grain)}"
    is_known = pd.concat([before[["low", "high"]], now[["low", "high"]]]).notna().all()
    overlaps = bool(is_known and now["low"] <= before["high"] and now["high"] >= before["low"])
    # A median without an interval may have moved by chance; a frequency without one is a census.
    is_clear = not overlaps if is_known else now["unit"] != "seconds"
    is_notable = difference != 0 and abs(difference) >= _NOTABLE * before["value"]
    colour: Literal["normal", "inverse", "off"] = "off"
    if is_clear and is_notable and better in ("higher", "lower"):
        colour = "normal" if better == "higher" else "inverse"
    return Change(text, colour, overlaps)


def notes(row: pd.Series, metric: str, scope: queries.Scope, change: Change | None) -> list[str]:
    """The lines below the figure: interval, what it rests on, and what to make of it."""
    lines = []
    if pd.notna(row["low"]) and pd.notna(row["high"]):
        low, high = (words.figure(row[bound], row["unit"]) for bound in ("low", "high"))
        lines.append(f"90 % interval {low} – {high}")
    elif metric == "change_lead_time":
        lines.append(f"No interval: too few {'deployments' if scope.level == 'service' else 'services'}")
    elif metric == "deployment_frequency" and row["value"] > 0:
        lines.append(words.rhythm(row["value"]))
    noun = _BASIS[metric] if scope.level == "service" or metric == "deployments" else "service"
    basis = f"n = {words.count(int(row['n']), noun)}"
    lines.append(f":orange-badge[Too few to compare] {basis}" if row["status"] == "too_few" else basis)
    if change and change.overlaps:
        lines.append("No clear change: the intervals overlap")
    return lines
