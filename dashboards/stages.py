"""The stages of pull requests, each for itself: medians of different sets are never added."""

from __future__ import annotations

from typing import get_args

import pandas as pd
import streamlit as st

from dashboards import cards, charts, figures, queries, words
from dashboards.view import View

STAGES = ("coding", "pickup", "review", "release")
METRICS: tuple[queries.Metric, ...] = tuple(
    metric for metric in get_args(queries.Metric) if metric.startswith("pr_")
)
_CLOCKS = {"Wall clock": "", "Working days": "_working"}


def show(view: View) -> None:
    """The last complete period's medians beside one another, and the trend of one stage."""
    rows = _last(view)
    left, right = st.columns([1, 1])
    with left.container(border=True, height="stretch"):
        st.header("Stages of a pull request", anchor=False)
        if rows["value"].isna().all():
            st.markdown(
                "No pull request with stages is known here: a tool such as GitHub tells them, git does not."
            )
        else:
            charts.still(figures.stages(rows), "stages", "Median time in each stage of pull requests")
            period = words.period(rows["period_start"].iloc[0], view.grain)
            st.caption(
                f"{period}: the median over the pull requests that have the stage. Medians of different sets"
                " do not add up to a lead time. Working days leave out weekends and the team's holidays."
            )
    with right:
        stage = st.segmented_control(
            "Stage", [name.capitalize() for name in STAGES], default="Pickup", required=True, key="stage",
            bind="query-params",
        )  # fmt: skip
        clock = st.segmented_control(
            "Time", [*_CLOCKS], default="Wall clock", required=True, key="clock", bind="query-params"
        )
        # A URL may say nothing for either, in spite of `required`.
        charts.trend(view, _metric((stage or "Pickup").lower(), clock or "Wall clock"))


def _metric(stage: str, clock: str) -> queries.Metric:
    return next(metric for metric in METRICS if metric == f"pr_{stage}{_CLOCKS[clock]}")


def _last(view: View) -> pd.DataFrame:
    """Every stage by both clocks in the last period that has a figure of any."""
    trends = [
        cards.recent(view, _metric(stage, clock)).assign(stage=stage.capitalize(), clock=clock)
        for stage in STAGES
        for clock in _CLOCKS
    ]
    every = pd.concat(trends, ignore_index=True)
    known = every[every["value"].notna() & ~every["partial"]]
    known = known if len(known) else every[every["value"].notna()]
    return every[every["period_start"].eq(known["period_start"].max())] if len(known) else every
