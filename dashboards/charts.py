"""Charts on a page: drawn, chosen in, and marked where the level of a metric changed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import partial
from types import FunctionType

import pandas as pd
import plotly.graph_objects as go
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboards import figures, notes, queries, words
from dashboards.definitions import heading
from dashboards.view import Cached, View

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
        told = queries.definition(view.source, metric)
        changes = queries.change_points(view.source, metric, view.scope, *span)
        happened = notes.of(view, metric)
        snapshot_id = view.source.snapshot.id
        st.plotly_chart(
            _drawn(view.source, snapshot_id, metric, view.scope, view.grain, *span, draw, happened),
            key=metric,
            alt=f"{told['title']} by {view.grain}{notes.said(happened)}",
            config=_CONFIG,
            on_select=partial(_choose, metric, view.grain),
            selection_mode="points",
        )
        for change in changes.to_dict("records")[-2:]:
            st.caption(
                f"Level changed from the week of {words.day(change['period_start'])} on:"
                f" {words.figure(change['before'], told['unit'])} →"
                f" {words.figure(change['after'], told['unit'])}"
                f" (p = {change['p_value']:.2g}; {change['method']})"
            )


@st.cache_resource(
    max_entries=256, show_spinner=False, hash_funcs={FunctionType: lambda draw: draw.__qualname__}
)
def _drawn(
    _source: Cached,
    snapshot_id: str,  # noqa: ARG001 - what is kept is kept of it
    metric: queries.Metric,
    scope: queries.Scope,
    grain: str,
    since: date,
    until: date,
    draw: Draw,
    happened: pd.DataFrame,
) -> go.Figure:
    """The chart, which takes ten times as long to make as to send: kept for whoever looks next."""
    rows = queries.trend(_source, metric, scope, grain, since, until)
    figure = draw(rows, grain, queries.change_points(_source, metric, scope, since, until))
    figures.annotate(figure, happened)
    return figure


def still(figure: go.Figure, key: str, alt: str) -> None:
    """Draw a chart in which nothing can be chosen."""
    st.plotly_chart(figure, key=key, alt=alt, config=_CONFIG)


def _choose(key: str, grain: str) -> None:
    points = st.session_state[key].selection.points
    if points and points[0].get("customdata"):
        start = pd.Timestamp(points[0]["customdata"][0])
        st.session_state["at"] = words.period(start, grain)
