"""What happened when, on a trend: a thin line, and a star that says it."""

from __future__ import annotations

from html import escape
from textwrap import wrap

import pandas as pd
import plotly.graph_objects as go

from dashboards import words
from dashboards.theme import ABSENT

_WIDTH = 48
"""Characters of a line, so that a phone has room for it."""


def annotate(figure: go.Figure, notes: pd.DataFrame) -> None:
    """Mark `date, text` on a chart over time, on an axis of their own; nothing of one day hides another."""
    if notes.empty:
        return
    days: dict[pd.Timestamp, list[str]] = {}
    for day, text in zip(notes["date"], notes["text"], strict=True):
        days.setdefault(day, []).append(text)
    for day in days:
        figure.add_vline(x=day, line={"color": ABSENT, "width": 1})
    figure.add_scatter(
        x=[*days],
        y=[1] * len(days),
        yaxis="y2",
        mode="markers",
        name="Annotation",
        cliponaxis=False,
        marker={"symbol": "star", "size": 12, "color": ABSENT},
        hovertext=[
            "<br>".join([f"<b>{words.day(day)}</b>", *(_lines(text) for text in texts)])
            for day, texts in days.items()
        ],
        hoverinfo="text",
    )
    figure.update_layout(
        yaxis2={"overlaying": "y", "range": [0, 1], "visible": False, "fixedrange": True},
    )


def _lines(text: str) -> str:
    return "<br>".join(escape(line) for line in wrap(text, _WIDTH))
