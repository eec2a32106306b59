"""Platform › Migrations: how far each is, and when it will be done."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd
import streamlit as st

from dashboards import charts, figures, notes, offers, queries, words
from dashboards.view import View

METHODS = {
    "resampled": "weeks of the past drawn anew, over and over",
    "logistic": "a logistic curve, fitted past its inflection",
}
_EXAMPLE = """\
platform:
  migrations:
    - {name: off-jenkins, from: jenkins, to: golden-path, started_at: 2026-01-05}
"""


def show(view: View) -> None:
    """A burn-up with its fan for each migration."""
    st.caption("Of the whole workspace, whatever the filters say.")
    found = queries.migrations(view.source)
    if found.empty:
        st.info("The workspace names no migration.", icon=":material/moving:")
        st.code(_EXAMPLE, language=None, wrap_lines=True)
        return
    called = offers.titles(view)
    for row in found.to_dict("records"):
        with st.container(border=True, key=f"migration-{row['migration']}"):
            _migration(view, row, called)  # type: ignore[arg-type]


def _migration(view: View, row: dict[str, Any], called: Any) -> None:
    st.header(words.plain(row["title"]), anchor=False)
    old, new = (called.get(row[name], row[name]) for name in ("from_capability", "to_capability"))
    way = f"from {words.plain(old)} to {words.plain(new)}" if pd.notna(old) else f"to {words.plain(new)}"
    st.caption(f"{way}, since {words.day(row['started_on'])}")
    if pd.isna(row["scope"]):
        st.markdown("Withheld: fewer than three people work on what is in scope, or no week is over yet.")
        return
    done, scope = int(row["done"]), int(row["scope"])
    columns = st.columns(3)
    columns[0].metric(
        "Done",
        f"{done:,} of {scope:,}",
        words.share(done / scope) if scope else None,
        delta_color="off",
        delta_arrow="off",
    )
    for column, name, chance in (
        (columns[1], "finish_50_on", "as likely as not"),
        (columns[2], "finish_85_on", "in 85 % of what is likely"),
    ):
        day = row[name]
        column.metric(f"All done, {chance}", "Cannot be told" if pd.isna(day) else words.day(day))
    weeks = queries.burn_up(view.source, str(row["migration"]))
    figure, happened = figures.burn_up(weeks), _happened(view, row, weeks)
    figures.annotate(figure, happened)
    charts.still(
        figure, f"burn-up-{row['migration']}", f"Services done of {row['title']}{notes.said(happened)}"
    )
    said = (
        f"Forecast by {METHODS[row['method']]}."
        if pd.notna(row["method"])
        else ("No forecast: it takes four weeks in which something was done.")
    )
    if row["dormant"]:
        said += (
            f" {words.count(int(row['dormant']), 'service')} in scope without a commit in 90 days left out."
        )
    st.caption(said)


def _happened(view: View, row: dict[str, Any], weeks: pd.DataFrame) -> pd.DataFrame:
    """What is noted of either capability, and of the whole, in the weeks drawn, those to come included."""
    starts = weeks["week_start"]
    since, until = starts.min().date(), (starts.max() + pd.Timedelta(days=7)).date()
    whole = queries.scopes(view.source)[0]
    scopes = [
        whole._replace(capability=row[name])
        for name in ("from_capability", "to_capability")
        if pd.notna(row[name])
    ]
    found = [notes.of(replace(view, scope=each, since=since, until=until), "reach") for each in scopes]
    return pd.concat(found).drop_duplicates().sort_values(["date", "text"], ignore_index=True)
