"""Durations beside one another: how they are distributed, and the stages of a pull request."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from dashboards import words
from dashboards.figures import axes
from dashboards.figures.base import described, layout
from dashboards.theme import ACCENT, MEASURED


def distribution(bins: pd.DataFrame, median: float, p90: float) -> go.Figure:
    """Share of changes by lead time, on a logarithmic axis, with the median and the 90th percentile.

    `bins`: `low, high` in seconds and `changes`; `median` and `p90` in seconds.
    """
    figure = go.Figure()
    low, high, changes = bins["low"], bins["high"], bins["changes"]
    figure.add_bar(
        x=np.sqrt(low * high),
        y=100 * changes / changes.sum(),
        width=(high - low) * 0.96,
        marker={"color": MEASURED},
        hovertext=[
            f"{words.duration(start)} – {words.duration(end)}<br>{words.count(int(number), 'change')}"
            for start, end, number in zip(low, high, changes, strict=True)
        ],
        hoverinfo="text",
        name="Changes",
    )
    for value, name, side in ((median, "50 %", "right"), (p90, "90 %", "left")):
        figure.add_vline(
            x=max(value, 1), line={"color": ACCENT, "width": 2, "dash": "dot"},
            annotation={
                "text": name, "yref": "paper", "y": 1.0, "yanchor": "bottom",
                "xanchor": side, "x": float(np.log10(max(value, 1))),
            },
        )  # fmt: skip
    figure.update_layout(layout(), showlegend=False)
    figure.update_layout(margin={"t": 40})
    figure.update_xaxes(axes.logarithmic(low.iloc[0] / 1.3, high.iloc[-1] * 1.3), fixedrange=True)
    figure.update_yaxes(title="Share of changes", ticksuffix=" %", fixedrange=True)
    return figure


def stages(rows: pd.DataFrame) -> go.Figure:
    """The stages of pull requests, each by itself: a point for its median, a bar for its interval.

    Rows are a metric's, with a `stage` and the `clock` that its time is told by. They are points on one
    scale, and not pieces of a bar, since medians do not add up.
    """
    figure = go.Figure()
    names = list(dict.fromkeys(rows["stage"]))
    known = rows[rows["value"].notna()]
    clocks = list(dict.fromkeys(rows["clock"]))
    for at, (clock, colour, symbol) in enumerate(
        zip(clocks, (MEASURED, ACCENT), ("circle", "diamond"), strict=False)
    ):
        drawn = known[known["clock"].eq(clock)]
        figure.add_scatter(
            x=drawn["value"],
            y=[names.index(stage) + 0.3 * (at - (len(clocks) - 1) / 2) for stage in drawn["stage"]],
            mode="markers",
            name=clock,
            marker={
                "color": colour,
                "size": 11,
                "line": {"width": 2, "color": colour},
                "symbol": [symbol + "-open" * (status != "ok") for status in drawn["status"]],
            },
            error_x={
                "array": drawn["high"].fillna(drawn["value"]) - drawn["value"],
                "arrayminus": drawn["value"] - drawn["low"].fillna(drawn["value"]),
                "color": colour,
                "width": 0,
            },
            hovertext=[
                described(row, f"{row['stage']}, {clock.lower()}") for row in drawn.to_dict("records")
            ],
            hoverinfo="text",
        )
    figure.update_layout(layout())
    figure.update_layout(legend={"y": -0.28})
    figure.update_yaxes(
        tickvals=list(range(len(names))), ticktext=names, range=[len(names) - 0.5, -0.5], fixedrange=True,
        zeroline=False,
    )  # fmt: skip
    seconds = pd.concat([known["value"], known["low"], known["high"]]).dropna()
    wide = axes.is_wide(seconds)
    span = axes.logarithmic(seconds.min() / 1.3, seconds.max() * 1.3) if wide else None
    figure.update_xaxes(span or axes.linear(float(seconds.max()) if len(seconds) else words.DAY))
    figure.update_xaxes(fixedrange=True)
    return figure
