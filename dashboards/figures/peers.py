"""A service among its peers: a strip of points, of which one is marked."""

from __future__ import annotations

from html import escape

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from dashboards import words
from dashboards.figures import axes
from dashboards.figures.base import described, faded, layout
from dashboards.theme import ACCENT, MEASURED

_ROWS = 5
"""Lanes that neighbouring points are spread over, so that they do not hide one another."""


def strip(rows: pd.DataFrame, unit: str, chosen: str) -> go.Figure:
    """The service called `chosen` with its interval, above its peers, which have no name.

    `rows`: `value, low, high, n, is_chosen`, in ascending order of the value.
    """
    figure = go.Figure()
    peers, own = rows[~rows["is_chosen"]], rows[rows["is_chosen"]]
    figure.add_scatter(
        x=peers["value"],
        y=np.arange(len(peers)) % _ROWS / _ROWS,
        mode="markers",
        name="A peer",
        marker={"size": 10, "color": faded(MEASURED, 0.45), "line": {"width": 1, "color": MEASURED}},
        hovertext=[
            f"<b>A peer</b><br>{words.figure(value, unit)}<br>n = {n:,}"
            for value, n in zip(peers["value"], peers["n"], strict=True)
        ],
        hoverinfo="text",
    )
    low, high = own["low"].fillna(own["value"]), own["high"].fillna(own["value"])
    figure.add_scatter(
        x=own["value"],
        y=[1.3] * len(own),
        mode="markers",
        name="This service",
        marker={"size": 13, "color": ACCENT, "symbol": "diamond"},
        error_x={"array": high - own["value"], "arrayminus": own["value"] - low, "color": ACCENT, "width": 0},
        hovertext=[
            described(row | {"unit": unit, "status": "ok", "partial": False}, escape(chosen))
            for row in own.to_dict("records")
        ],
        hoverinfo="text",
    )
    figure.update_layout(layout(), height=190)
    figure.update_layout(legend={"y": -0.5})
    figure.update_yaxes(visible=False, range=[-0.3, 1.7], fixedrange=True)
    figure.update_xaxes(_axis(pd.concat([rows["value"], low, high]), unit), fixedrange=True)
    return figure


def _axis(values: pd.Series, unit: str) -> dict[str, object]:
    if unit == "seconds":
        if axes.is_wide(values):
            return axes.logarithmic(values.min() / 1.3, values.max() * 1.3)
        return axes.linear(float(values.max()))
    top = 1.08 * float(values.max()) or 0.1
    if unit == "ratio":
        return {"range": [-0.02 * top, min(top, 1.02)], "tickformat": ".0%", "title": "Share"}
    return {"range": [-0.02 * top, top], "title": "Per week" if unit == "per_week" else "Number"}
