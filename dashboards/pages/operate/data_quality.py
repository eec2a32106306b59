"""Operate › Data quality: what could not be matched, read or understood, and which figures that affects."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboards import drill, queries, words
from dashboards.view import View

COVERAGE = [
    "source", "repository", "service", "commits", "tags", "release_tags", "deployments",
    "commits_not_deployed",
]  # fmt: skip
COLUMNS = {
    "kind": "What", "source": "Source", "name": "Name", "things": "How many", "affects": "Affects",
    "affected": "Affected", "stream": "Kind of record", "reason": "What is wrong", "example": "Example",
    "records": "Records", "environment": "Environment", "deployments": "Deployments",
    "is_production": "Production", "repository": "Repository", "service": "Service", "commits": "Commits",
    "tags": "Tags", "release_tags": "Release tags", "commits_not_deployed": "Commits not deployed",
}  # fmt: skip


def show(view: View) -> None:
    """What is the matter, with its share of the figures; then by name, and all that was read."""
    st.caption("Of the whole workspace and of all time, whatever the filters say.")
    kinds = queries.data_quality(view.source)
    amiss = kinds[kinds["things"].gt(0)]
    if amiss.empty:
        st.success("Everything that was read could be matched.", icon=":material/check_circle:")
    for kind, rows in amiss.groupby("kind", sort=False):
        _kind(str(kind), rows)
    lists = {
        "Unmatched": ("row", queries.unmapped(view.source)),
        "Not understood": ("row", queries.quarantine(view.source)),
        "Environments": ("environment", queries.environments(view.source)),
        "Repositories": ("repository", queries.coverage(view.source)[COVERAGE]),
    }
    for tab, (title, (noun, rows)) in zip(st.tabs([*lists]), lists.items(), strict=True):
        with tab:
            drill.listing(view, noun, rows, name=title.lower().replace(" ", "-"), titles=COLUMNS)


def _kind(kind: str, rows: pd.DataFrame) -> None:
    first = rows.iloc[0]
    with st.container(border=True, key=f"kind-{kind}"):
        st.header(words.capital(kind), anchor=False)
        st.markdown(f"**{first['things']:,}** of {first['of_things']:,}. {first['meaning']}")
        for row in rows[rows["affected"].gt(0)].to_dict("records"):
            st.markdown(
                f"Affects **{words.share(row['share'])}** of {row['affects']}:"
                f" {row['affected']:,} of {row['of_affected']:,}."
            )
