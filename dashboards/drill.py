"""Drill-down: the deployments and changes behind a figure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import partial
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from dashboards import export, queries, words
from dashboards.view import View

WHOLE = "All of the above"
SHOWN = 1_000
"""Rows a table shows; the download has them all."""

_CONFIG = {"displayModeBar": False, "displaylogo": False, "scrollZoom": False, "doubleClick": False}


def chart(figure: go.Figure, view: View, key: str, alt: str) -> None:
    """Draw a chart whose marks, when selected, choose the period that `behind` opens."""
    st.plotly_chart(
        figure,
        key=key,
        alt=alt,
        config=_CONFIG,
        on_select=partial(_choose, key, view.grain),
        selection_mode="points",
    )


def still(figure: go.Figure, key: str, alt: str) -> None:
    """Draw a chart in which nothing can be chosen."""
    st.plotly_chart(figure, key=key, alt=alt, config=_CONFIG)


def _choose(key: str, grain: str) -> None:
    points = st.session_state[key].selection.points
    if points and points[0].get("customdata"):
        start = pd.Timestamp(points[0]["customdata"][0])
        st.session_state["at"] = words.period(start, grain)


def behind(view: View, *metrics: queries.Metric) -> None:
    """The section below the charts: choose a period, see and download what it is made of."""
    trends = {
        metric: queries.trend(view.source, metric, view.scope, view.grain, view.since, view.until)
        for metric in metrics
    }
    first = next(iter(trends.values()))
    spans = {
        words.period(start, view.grain): (start.date(), end.date())
        for start, end in zip(first["period_start"][::-1], first["period_end"][::-1], strict=True)
    }
    st.subheader("Behind the figures", anchor=False)
    chosen = st.selectbox(
        "Period (or select a mark in a chart)", [WHOLE, *spans], key="at", bind="query-params", width=320
    )
    since, until = spans.get(chosen, (view.since, view.until))
    found = queries.counts(view.source, view.scope, since, until)
    tabs = st.tabs(["Deployments", "Changes", "Figures"])
    with tabs[0]:
        rows = queries.deployments(view.source, view.scope, since, until, SHOWN)
        table(
            view, "deployments", rows, int(found["deployments"]), since, until,
            partial(queries.deployments, view.source.snapshot, view.scope, since, until),
        )  # fmt: skip
    with tabs[1]:
        rows = queries.changes(view.source, view.scope, since, until, SHOWN)
        table(
            view, "changes", rows, int(found["changes"]), since, until,
            partial(queries.changes, view.source.snapshot, view.scope, since, until),
        )  # fmt: skip
    with tabs[2]:
        rows = pd.concat(trends.values(), ignore_index=True)
        rows = rows[(rows["period_start"] >= str(since)) & (rows["period_start"] < str(until))]
        rows.insert(0, "metric", rows.pop("metric"))
        table(view, "figures", rows, len(rows), since, until, lambda: rows)


def table(
    view: View,
    what: str,
    rows: pd.DataFrame,
    total: int,
    since: date,
    until: date,
    every_row: Callable[[], pd.DataFrame],
) -> None:
    """Rows with a word on how many there are, and a download of all of them, made when asked for."""
    if rows.empty:
        st.caption(f"No {what} in {words.span(since, until)}.")
        return
    noun = what.removesuffix("s")
    more = f", the first {SHOWN:,} of them shown" if total > len(rows) else ""
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.caption(f"{words.count(total, noun)} in {words.span(since, until)}{more}", width="content")
        st.download_button(
            "Download CSV",
            lambda: export.csv(every_row()),
            export.file_name(view, what, since, until),
            mime="text/csv",
            icon=":material/download:",
            type="tertiary",
            key=f"csv-{what}",
            on_click="ignore",
        )
    st.dataframe(readable(rows, view), hide_index=True, column_config=columns(view), key=f"table-{what}")


def readable(rows: pd.DataFrame, view: View) -> pd.DataFrame:
    """The rows as a person reads them: without ids, and without columns that say nothing."""
    shown = rows.drop(columns=["deployment_id", "change_id", "excluded"], errors="ignore")
    if "change" in shown:
        shown = shown.drop(columns="sha")
    elif "sha" in shown:
        shown["sha"] = shown["sha"].str[:10]
    if "left_out" in shown:
        shown["left_out"] = shown["left_out"].map(lambda reason: words.LEFT_OUT.get(reason, reason))
    if "lead_time_seconds" in shown:
        shown["lead_time_seconds"] = _to_the_point(shown["lead_time_seconds"])
    silent = [name for name in ("url", "left_out") if name in shown and shown[name].isna().all()]
    if view.scope.level == "service":
        silent.append("service")
    if "environment" in shown and shown["environment"].nunique() == 1:
        silent.append("environment")
    if "is_baseline" in shown and not shown["is_baseline"].any():
        silent.append("is_baseline")
    return shown.drop(columns=silent, errors="ignore")


def _to_the_point(seconds: pd.Series) -> pd.Series:
    """As durations without the minutes of days and the seconds of hours."""
    step = (
        pd.Series(1.0, seconds.index)
        .mask(seconds >= words.HOUR, words.MINUTE)
        .mask(seconds >= words.DAY, words.HOUR)
    )
    return pd.to_timedelta((seconds / step).round() * step, unit="s")


def columns(view: View) -> dict[str, Any]:
    """How each column of the tables is titled and written."""
    column, zone = st.column_config, str(view.zone)
    moment = partial(column.DatetimeColumn, format="D MMM YYYY, HH:mm", timezone=zone)
    return {
        "finished_at": moment("Deployed", help=f"Time zone: {zone}"),
        "deployed_at": moment("Deployed", help=f"Time zone: {zone}"),
        "first_authored_at": moment("First authored"),
        "service": column.TextColumn("Service"),
        "ref": column.TextColumn("Deployment"),
        "sha": column.TextColumn("Commit"),
        "environment": column.TextColumn("Environment"),
        "changes": column.NumberColumn("Changes", help="Human, non-merge changes that it shipped first"),
        "is_baseline": column.CheckboxColumn("Baseline", help="The first known deployment"),
        "lead_time_seconds": column.NumberColumn("Lead time", format="localized"),
        "change": column.TextColumn("Change"),
        "kind": column.TextColumn("Kind"),
        "left_out": column.TextColumn("Left out of lead time"),
        "url": column.LinkColumn("Link", display_text="Open"),
        "metric": column.TextColumn("Metric"),
        "period_start": column.DateColumn("From", format="D MMM YYYY"),
        "period_end": column.DateColumn("Until (excluded)", format="D MMM YYYY"),
    }
