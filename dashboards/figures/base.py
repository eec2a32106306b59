"""What the charts have in common: layout, periods, hovers, colours."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from dashboards import words

_LABELS = {"quarter": {"dtick": "M3", "tickformat": "Q%q %Y"}, "year": {"dtick": "M12", "tickformat": "%Y"}}

_ROOM = {"l": 74, "r": 8, "t": 16, "b": 76}
"""Of a trend's labels and one line of legend: a browser draws a chart twice that has to make more."""


def base(trend: pd.DataFrame, grain: str) -> go.Figure:
    """An empty chart whose horizontal axis spans the periods."""
    figure = go.Figure()
    figure.update_layout(layout(), barmode="overlay", margin=_ROOM)
    if len(trend):
        edges = [trend["period_start"].iloc[0], trend["period_end"].iloc[-1]]
        figure.update_xaxes(range=edges)
    # Said, for where there is no data nothing else tells.
    figure.update_xaxes(type="date", fixedrange=True, showgrid=False, ticklabelmode="period")
    if len(trend) <= 8:
        figure.update_xaxes(_LABELS.get(grain))
    figure.update_yaxes(fixedrange=True)
    return figure


def layout() -> dict[str, object]:
    """Size, margins and legend of every chart."""
    return {
        "height": 320,
        "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
        "legend": {"orientation": "h", "yanchor": "top", "y": -0.16, "x": 0},
        "hovermode": "closest",
        "dragmode": False,
    }


def placed(trend: pd.DataFrame) -> pd.DataFrame:
    """With the middle of each period and its length in milliseconds, plotly's unit for a bar's width."""
    length = trend["period_end"] - trend["period_start"]
    return trend.assign(middle=trend["period_start"] + length / 2, width=length.dt.total_seconds() * 1_000)


def starts(rows: pd.DataFrame) -> list[list[str]]:
    """The `customdata` of marks: the period each is of."""
    return [[start] for start in rows["period_start"].dt.strftime("%Y-%m-%d")]


def hover(rows: pd.DataFrame, grain: str) -> list[str]:
    """What is said of each period's mark."""
    return [described(row, words.period(row["period_start"], grain)) for row in rows.to_dict("records")]


def described(row: Mapping[Hashable, Any], heading: str) -> str:
    """A figure with its interval and what it rests on."""
    lines = [f"<b>{heading}</b>", words.figure(row["value"], row["unit"])]
    if pd.notna(row["low"]) and pd.notna(row["high"]):
        lines.append(f"90 % interval {words.between(row['low'], row['high'], row['unit'])}")
    lines.append(f"n = {row['n']:,}")
    if row["status"] == "too_few":
        lines.append("too few to compare")
    if row["partial"]:
        lines.append("period not over")
    return "<br>".join(lines)


def faded(colour: str, opacity: float = 0.3) -> str:
    """A colour of the theme that lets through what is behind it."""
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"
