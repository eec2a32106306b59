"""Charts on a page: drawn, chosen in, and marked where the level of a metric changed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pandas as pd
import plotly.graph_objects as go
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboards import figures, notes, queries, words
from dashboards.definitions import heading
from dashboards.view import View

_CONFIG = {"displayModeBar": False, "displaylogo": False, "scrollZoom": False, "doubleClick": False}

Draw = Callable[[pd.DataFrame, str, pd.DataFrame], go.Figure]


def grid(view: View, *trends: tuple[queries.Metric, Draw]) -> None:
    """Trends of metrics, two beside one another."""
    for first in range(0, len(trends), 2):
        for column, (metric, draw) in zip(st.columns(2), trends[first : first + 2], strict=False):
            trend(view, metric, draw, column)


def trend(
    view: View,
    metric: queries.Metric,
    draw: Draw = figures.line,
    place: DeltaGenerator | None = None,
    title: str | None = None,
) -> None:
    """A framed chart of the metric; its marks choose the period that `drill.behind` opens."""
    with (place or st).container(border=True):
        heading(view, metric, title)
        span = view.since, view.until
        rows = queries.trend(view.source, metric, view.scope, view.grain, *span)
        changes = queries.change_points(view.source, metric, view.scope, *span)
        figure = draw(rows, view.grain, changes)
        happened = notes.of(view, metric)
        figures.annotate(figure, happened)
        st.plotly_chart(
            figure,
            key=metric,
            alt=f"{queries.definition(view.source, metric)['title']} by {view.grain}{notes.said(happened)}",
            config=_CONFIG,
            on_select=partial(_choose, metric, view.grain),
            selection_mode="points",
        )
        for change in changes.to_dict("records")[-2:]:
            st.caption(
                f"Level changed from the week of {words.day(change['period_start'])} on:"
                f" {words.figure(change['before'], rows['unit'].iloc[0])} →"
                f" {words.figure(change['after'], rows['unit'].iloc[0])}"
                f" (p = {change['p_value']:.2g}; {change['method']})"
            )


def still(figure: go.Figure, key: str, alt: str) -> None:
    """Draw a chart in which nothing can be chosen."""
    st.plotly_chart(figure, key=key, alt=alt, config=_CONFIG)


def _choose(key: str, grain: str) -> None:
    points = st.session_state[key].selection.points
    if points and points[0].get("customdata"):
        start = pd.Timestamp(points[0]["customdata"][0])
        st.session_state["at"] = words.period(start, grain)
