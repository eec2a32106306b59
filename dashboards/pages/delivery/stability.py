"""Delivery › Stability: how often deployments fail, how fast that is mended, and by what it was known."""

from __future__ import annotations

import streamlit as st

from dashboards import cards, charts, drill, figures, queries, states, words
from dashboards.view import View

RATES: tuple[queries.Metric, ...] = ("change_fail_rate", "rework_rate", "deployment_success_rate")
TIMES: tuple[queries.Metric, ...] = ("failed_deployment_recovery_time", "time_to_restore")


def show(view: View) -> None:
    """Cards, trends, and the faults and unattributed incidents behind them."""
    found = queries.counts(view.source, view.scope, view.since, view.until)
    if not found["deployments"] + found["incidents"]:
        states.nothing_in(view)
    cards.row(view, *RATES)
    left, right = st.columns([2, 1])
    with left:
        cards.row(view, *TIMES)
    with right.container(border=True, height="stretch"):
        st.header("Open and unexplained", anchor=False)
        st.markdown(
            f"**{found['open_faults']:,}** of {words.count(int(found['faults']), 'fault')} not recovered"
            " from. In the recovery time they count as lasting at least until the data was read"
            " (Kaplan–Meier)."
        )
        st.markdown(
            f"**{found['unattributed']:,}** of {words.count(int(found['incidents']), 'incident')} of no"
            " deployment. They are in the time to restore, and never guessed into a failure rate."
        )
    charts.grid(view, *((metric, figures.line) for metric in (*RATES, *TIMES)))
    drill.behind(view, *RATES, *TIMES, tables=("faults", "evidence", "unattributed", "deployments"))
