"""Drill-down: the deployments, changes, faults and incidents behind a figure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from functools import partial
from typing import Any, Literal

import pandas as pd
import streamlit as st

from dashboards import export, queries, words
from dashboards.view import View

WHOLE = "All of the above"
SHOWN = 500
"""Rows a table shows; the download has them all."""

Table = Literal["deployments", "changes", "faults", "evidence", "unattributed"]

_TABLES: Mapping[Table, tuple[str, Callable[..., pd.DataFrame]]] = {
    "deployments": ("deployment", queries.deployments),
    "changes": ("change", queries.changes),
    "faults": ("fault", queries.faults),
    "evidence": ("evidence", queries.evidence),
    "unattributed": ("unattributed incident", queries.unattributed),
}
"""What one of the rows is, and where they come from."""


def behind(view: View, *metrics: queries.Metric, tables: tuple[Table, ...] = ()) -> None:
    """The section below the charts: choose a period, see and download what it is made of."""
    since, until = period(view)
    span = view.scope, since, until
    found = queries.counts(view.source, *span) if tables else pd.Series()
    titles = [words.capital(words.plural(_TABLES[name][0])) for name in tables]
    for tab, what in zip(st.tabs([*titles, "Figures"]), [*tables, None], strict=True):
        with tab:
            if what is None:
                figures(view, *metrics, since=since, until=until)
            else:
                noun, query = _TABLES[what]
                rows = query(view.source, *span, SHOWN)
                every_row = partial(query, view.source.snapshot, *span)
                table(view, noun, rows, int(found[what]), since, until, every_row)


def period(view: View) -> tuple[date, date]:
    """Draw the section's heading and the choice that a mark in a chart makes as well; its days."""
    st.header("Behind the figures", anchor=False)
    periods = pd.period_range(view.since, view.until - timedelta(days=1), freq=words.GRAINS[view.grain])
    spans = {
        words.period(each.start_time, view.grain): (each.start_time.date(), (each + 1).start_time.date())
        for each in periods[::-1]
    }
    chosen = st.selectbox(
        "Period (or select a mark in a chart)", [WHOLE, *spans], key="at", bind="query-params", width=320
    )
    return spans.get(chosen, (view.since, view.until))


def figures(view: View, *metrics: queries.Metric, since: date, until: date) -> None:
    """The metrics' own rows of these days, as they are downloaded."""
    rows = pd.concat(map(view.trend, metrics), ignore_index=True).drop(columns=["estimate", "area"])
    rows = rows[(rows["period_start"] >= str(since)) & (rows["period_start"] < str(until))]
    rows.insert(0, "metric", rows.pop("metric"))
    table(view, "figure", rows, len(rows), since, until, rows.copy)


def table(
    view: View,
    noun: str,
    rows: pd.DataFrame,
    total: int,
    since: date,
    until: date,
    every_row: Callable[[], pd.DataFrame],
) -> None:
    """Rows of a period with a word on how many there are, and a download of all of them."""
    if rows.empty:
        st.caption(f"No {noun} in {words.span(since, until)}.")
        return
    what = words.plural(noun).rpartition(" ")[2]
    said = f"{words.count(total, noun)} in {words.span(since, until)}{more(total, len(rows))}"
    downloadable(said, what, export.file_name(view, what, since, until), every_row)
    st.dataframe(readable(rows, view), hide_index=True, column_config=columns(view), key=f"table-{what}")


def more(total: int, shown: int) -> str:
    """What to add to a number of rows where not all of them are shown."""
    return f", the first {shown:,} of them shown" if total > shown else ""


def listing(view: View, noun: str, rows: pd.DataFrame, *, name: str, titles: Mapping[str, Any]) -> None:
    """Rows of no period, with a download."""
    if rows.empty:
        st.caption("None.")
        return
    file = export.file_name(view, name, view.since, view.until)
    shown = rows.head(SHOWN)
    said = words.count(len(rows), noun) + more(len(rows), len(shown))
    downloadable(said, name, file, lambda: rows)
    shown = shown.assign(
        **{column: shown[column].map(words.capital) for column in {"kind"} & {*shown.columns}}
    )
    st.dataframe(shown, hide_index=True, column_config={**titles}, key=f"table-{name}")


def downloadable(said: str, what: str, file: str, every_row: Callable[[], pd.DataFrame]) -> None:
    """A line above a table: what it holds, and a download that is made when asked for."""
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.caption(said, width="content")
        st.download_button(
            "Download CSV",
            lambda: export.csv(every_row()),
            file,
            mime="text/csv",
            icon=":material/download:",
            type="tertiary",
            key=f"csv-{what}",
            on_click="ignore",
        )


def readable(rows: pd.DataFrame, view: View) -> pd.DataFrame:
    """The rows as a person reads them: without ids, and without columns that say nothing."""
    shown = rows.drop(
        columns=["deployment_id", "change_id", "fault_id", "incident_id", "excluded"], errors="ignore"
    )
    if "change" in shown:
        shown = shown.drop(columns="sha", errors="ignore")
    elif "sha" in shown:
        shown["sha"] = shown["sha"].str[:10]
    if "left_out" in shown:
        shown["left_out"] = shown["left_out"].map(lambda reason: words.LEFT_OUT.get(reason, reason))
    for name in shown.columns[shown.columns.str.endswith("_seconds")]:
        shown[name] = _to_the_point(shown[name])
    silent = [
        name
        for name in ("url", "evidence_url", "left_out", "severity", "queue_seconds")
        if name in shown and shown[name].isna().all()
    ]
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
        "merged_at": moment("Merged", help=f"Time zone: {zone}"),
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
        "wait_seconds": column.NumberColumn("Waited", format="localized", help="A run was queued or running"),
        "queue_seconds": column.NumberColumn("Queued", format="localized", help="None was running"),
        "rerun_seconds": column.NumberColumn(
            "Re-runs", format="localized", help="No first attempt was under way"
        ),
        "change": column.TextColumn("Change"),
        "kind": column.TextColumn("Kind"),
        "left_out": column.TextColumn("Left out of lead time"),
        "url": column.LinkColumn("Link", display_text="Open"),
        "at": moment("When"),
        "rule": column.TextColumn("Rule", help="By which the deployment is held to have failed"),
        "evidence": column.TextColumn("Evidence", help="Incidents, rollbacks, reverts and hotfixes"),
        "evidence_url": column.LinkColumn("See", display_text="Open"),
        "began_at": moment("Began"),
        "recovered_at": moment("Recovered"),
        "is_open": column.CheckboxColumn("Open", help="Not recovered from: lasts at least so long"),
        "recovery_seconds": column.NumberColumn("Recovery", format="localized"),
        "opened_at": moment("Opened"),
        "resolved_at": moment("Resolved"),
        "restore_seconds": column.NumberColumn("Time to restore", format="localized"),
        "severity": column.TextColumn("Severity"),
        "status": column.TextColumn("Status"),
        "metric": column.TextColumn("Metric"),
        "period_start": column.DateColumn("From", format="D MMM YYYY"),
        "period_end": column.DateColumn("Until (excluded)", format="D MMM YYYY"),
    }
