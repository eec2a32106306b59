"""Operate › Data health: whether the figures can be trusted today, and what keeps them from it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st

from dashboards import health, queries, voices, words
from dashboards.view import Cached
from pipelines import dagster_pages, status
from pipelines.home import Home

COVERAGE = [
    "source", "repository", "service", "commits", "tags", "release_tags", "deployments",
    "commits_not_deployed",
]  # fmt: skip
_MOMENT = "D MMM YYYY, HH:mm"
COLUMNS = {
    "kind": "What", "source": "Source", "name": "Name", "things": "How many", "affects": "Affects",
    "affected": "Affected", "stream": "Kind of record", "reason": "What is wrong", "example": "Example",
    "records": st.column_config.NumberColumn("Records", format="localized"),
    "environment": "Environment", "deployments": "Deployments",
    "is_production": "Production", "repository": "Repository", "service": "Service", "commits": "Commits",
    "tags": "Tags", "release_tags": "Release tags", "commits_not_deployed": "Commits not deployed",
    "quarantined": "Not understood", "state": "State", "age": "Age", "error": "Last error", "mend": "Mend",
    "read_at": st.column_config.DatetimeColumn("Last complete read", format=_MOMENT),
    "began_at": st.column_config.DatetimeColumn("Began", format=_MOMENT), "result": "Result", "took": "Took",
    "new": "New", "changed": "Changed", "said": "Why",
    "url": st.column_config.LinkColumn("Dagster", display_text="Open the run"),
}  # fmt: skip
_BANNERS = {
    "yes": (st.success, "check_circle"),
    "with care": (st.warning, "error"),
    "no": (st.error, "cancel"),
}


def show(source: Cached) -> None:
    """The verdict, the sources, the last syncs, and what could not be matched."""
    home, now = Home.from_env(), datetime.now(UTC)
    known, workspace = status.read(home), queries.workspace(source)
    zone = ZoneInfo(str(workspace["timezone"]))
    kinds, streams = queries.data_quality(source), queries.source_streams(source)
    found = health.trust(known, kinds, streams, workspace, now)
    banner, icon = _BANNERS[found.level]
    banner(
        "\n".join([found.said, "", *(f"- {reason}" for reason in found.reasons)]), icon=f":material/{icon}:"
    )
    st.header("Sources", anchor=False)
    _list("source", health.sources(known, streams, zone, now), "sources", {"kind": "Kind"})
    st.header("Last syncs", anchor=False)
    _list("sync", health.runs(known, zone, _dagster(home)), "syncs")
    st.header("What could not be matched", anchor=False)
    amiss = kinds[kinds["things"].gt(0)]
    if amiss.empty:
        st.caption("Nothing: everything that was read could be.")
    for kind, rows in amiss.groupby("kind", sort=False):
        _kind(str(kind), rows)
    lists = {
        "Unmatched": ("row", queries.unmapped(source)),
        "Not understood": ("row", queries.quarantine(source)),
        "By kind of record": ("row", streams.drop(columns="kind")),
        "Environments": ("environment", queries.environments(source)),
        "Repositories": ("repository", queries.coverage(source)[COVERAGE]),
    }
    for tab, (title, (noun, rows)) in zip(st.tabs([*lists]), lists.items(), strict=True):
        with tab:
            _list(noun, rows, title.lower().replace(" ", "-"))


def _list(noun: str, rows: pd.DataFrame, name: str, titles: Mapping[str, str] = MappingProxyType({})) -> None:
    if rows.empty:
        st.caption("None is known of.")
    else:
        voices.listing(noun, rows, name, {**COLUMNS, **titles})


def _dagster(home: Home) -> str | None:
    """Where Dagster is, if whoever looks can open it: it serves this machine alone."""
    is_here = urlsplit(st.context.url or "").hostname in {"localhost", "127.0.0.1", "::1"}
    return dagster_pages.address(home) if is_here else None


def _kind(kind: str, rows: pd.DataFrame) -> None:
    first = rows.iloc[0]
    with st.container(border=True, key=f"kind-{kind}"):
        st.header(words.capital(kind), anchor=False)
        st.markdown(f"**{first['things']:,}** of {first['of_things']:,}. {first['meaning']}")
        for row in rows[rows["affected"].gt(0)].to_dict("records"):
            st.markdown(
                f"Affects **{words.share(row['share'])}** of {words.plain(row['affects'])}:"
                f" {row['affected']:,} of {row['of_affected']:,}."
            )
