"""Delivery › CI: how long runs take and wait, how often they fail for no reason, and what waiting costs."""

from __future__ import annotations

from functools import partial

import pandas as pd
import streamlit as st

from dashboards import cards, charts, drill, figures, queries, states, words
from dashboards.view import View

TIMES: tuple[queries.Metric, ...] = ("ci_duration_p50", "ci_duration_p90", "ci_queue_p50")
COSTS: tuple[queries.Metric, ...] = ("ci_flaky_rate", "ci_wait")
TRENDS: tuple[queries.Metric, ...] = (*TIMES, "ci_queue_p90", *COSTS)
LONGEST = 20


def show(view: View) -> None:
    """Cards, the cost of waiting, trends, and the changes that waited; runs are seen in the tool."""
    states.without(view, TRENDS, "CI run", "A source such as `github`, `gitlab` or `jenkins` reads them.")
    found = queries.ci_wait(view.source, view.scope, view.since, view.until)
    cards.row(view, *TIMES)
    left, right = st.columns([2, 1])
    with left:
        cards.row(view, *COSTS)
    with right.container(border=True, height="stretch", key="ci-cost"):
        _cost(found)
    charts.grid(view, *((metric, figures.line) for metric in TRENDS))
    if found["changes"]:
        st.header("Changes that waited longest", anchor=False)
        span = view.since, view.until
        rows = queries.ci_waits(view.source, view.scope, *span, LONGEST)
        every_row = partial(queries.ci_waits, view.source.snapshot, view.scope, *span)
        drill.table(view, "change", rows, int(found["changes"]), *span, every_row)
    drill.behind(view, *TRENDS)


def _cost(found: pd.Series) -> None:
    st.header("Cost of waiting", anchor=False)
    changes, told = int(found["changes"]), int(found["queue_told"])
    lines = []
    if changes:
        st.markdown(
            f"**{_hours(found['waited'])}** in which {words.count(changes, 'merged change')} waited:"
            " open, with a CI run queued or running."
        )
        st.markdown(f"**{words.share(found['share'])}** of the time from opened to merged.")
        if told:
            some = "" if told == changes else f" Known of {words.count(told, 'change')}."
            st.markdown(f"**{_hours(found['queued'])}** of it in a queue, with none running.{some}")
        st.markdown(f"**{_hours(found['reruns'])}** of it for re-runs, with no first attempt under way.")
        lines.append("Hours of changes, not of people, who may well do something else meanwhile.")
    else:
        st.markdown("Of no change merged in this time is it known how long it waited for CI.")
    if found["left_out"]:
        lines.append(f"Left out: {words.left_out(found['left_out'])}")
    st.caption("  \n".join(lines))


def _hours(seconds: float) -> str:
    """`1,234 h` or `1.5 h`."""
    hours = seconds / words.HOUR
    return f"{hours:,.0f} h" if hours >= 10 else f"{hours:.1f} h"
