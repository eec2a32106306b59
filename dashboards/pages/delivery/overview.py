"""Delivery › Overview: how often changes reach production, and how long they take."""

from __future__ import annotations

import streamlit as st

from dashboards import drill, figures, queries, states
from dashboards.cards import card
from dashboards.definitions import heading
from dashboards.view import View


def show(view: View) -> None:
    """Cards of the last complete period, the two trends, and what is behind them."""
    if not queries.counts(view.source, view.scope, view.since, view.until)["deployments"]:
        states.nothing_in(view)
    metrics: tuple[queries.Metric, ...] = ("deployments", "deployment_frequency", "change_lead_time")
    for column, metric in zip(st.columns(3), metrics, strict=True):
        card(view, metric, column)
    span = view.scope, view.grain, view.since, view.until
    left, right = st.columns(2)
    with left.container(border=True):
        heading(view, "Deployment frequency", "deployment_frequency")
        trend = queries.trend(view.source, "deployment_frequency", *span)
        drill.chart(figures.frequency(trend, view.grain), view, "frequency", "Deployments per week by period")
    with right.container(border=True):
        heading(view, "Change lead time", "change_lead_time")
        trend = queries.trend(view.source, "change_lead_time", *span)
        drill.chart(figures.lead_time(trend, view.grain), view, "lead-time", "Median lead time by period")
    drill.behind(view, *metrics)
