"""Delivery › Lead time: how long changes take to production, in which stages, and which take longest."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from dashboards import cards, charts, drill, figures, queries, stages, states, words
from dashboards.view import View

SLOWEST = 20


def show(view: View) -> None:
    """The trend, the stages, the distribution, the slowest changes, and what was left out."""
    span = view.since, view.until
    found = queries.lead_times(view.source, view.scope, *span)
    if not found["changes"]:
        states.nothing_in(view)
    left, right = st.columns([1, 2])
    with left:
        cards.row(view, "change_lead_time")
    charts.trend(view, "change_lead_time", place=right, title="Trend")
    stages.show(view)
    left, right = st.columns([2, 1])
    if found["changes"]:
        with left.container(border=True):
            _distribution(view, found)
        st.header("Slowest changes", anchor=False)
        rows = queries.changes(view.source, view.scope, *span, SLOWEST, slowest_first=True)
        st.dataframe(drill.readable(rows, view), hide_index=True, column_config=drill.columns(view))
    with right.container(border=True, height="stretch"):
        _left_out(view, found["left_out"])
    drill.behind(view, "change_lead_time", *stages.METRICS, tables=("deployments", "changes"))


def _distribution(view: View, found: pd.Series) -> None:
    st.header("Distribution", anchor=False)
    bins = queries.distribution(view.source, view.scope, view.since, view.until)
    figure = figures.distribution(bins, found["median"], found["p90"])
    charts.still(figure, "distribution", "Share of changes by lead time")
    together = "" if view.scope.level == "service" else " of all services together, unlike in the trend"
    within = f"half within {words.duration(found['median'])}, 90 % within {words.duration(found['p90'])}"
    st.caption(f"{words.count(int(found['changes']), 'change')}{together}: {within}.")


def _left_out(view: View, reasons: Mapping[str, int]) -> None:
    st.header("Left out", anchor=False)
    if not reasons:
        st.markdown("Nothing: every change shipped in the period counts.")
    for reason, changes in sorted(reasons.items(), key=lambda item: -item[1]):
        st.markdown(f"**{changes:,}** {words.LEFT_OUT.get(reason, words.plain(reason))}")
    awaiting = words.count(queries.waiting(view.source, view.scope), "commit")
    st.caption(f"{awaiting} of any time, merges included, not deployed yet.")
