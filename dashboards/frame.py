"""The frame of every page: navigation, heading, banners, filter bar."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

import duckdb
import pandas as pd
import streamlit as st

from dashboards import filters, queries, states, words
from dashboards.pages.delivery import ci, lead_time, overview, stability, work
from dashboards.pages.operate import data_quality
from dashboards.theme import LOGO, MARK
from dashboards.view import Cached, View
from pipelines.home import Home
from pipelines.status import Status, read
from pipelines.warehouse import WarehouseError, published


def show() -> None:
    """Draw the page that the URL names."""
    st.set_page_config(page_title="Cairn", page_icon=MARK, layout="wide")
    st.logo(LOGO, size="large")
    views: list[View] = []

    def page(draw: Callable[[View], None], title: str, path: str, icon: str) -> st.Page:
        return st.Page(lambda: draw(views[0]), title=title, url_path=path, icon=icon, default=not path)

    needing_deployments = [
        page(overview.show, "Overview", "", ":material/monitoring:"),
        page(lead_time.show, "Lead time", "lead-time", ":material/timer:"),
        page(stability.show, "Stability", "stability", ":material/healing:"),
    ]
    chosen = st.navigation(
        {
            "Delivery": [
                *needing_deployments,
                page(ci.show, "CI", "ci", ":material/construction:"),
                page(work.show, "Work", "work", ":material/stacks:"),
            ],
            "Operate": [page(data_quality.show, "Data quality", "data-quality", ":material/fact_check:")],
        }
    )
    home = Home.from_env()
    status = read(home)
    try:
        snapshot = published(home)
        if snapshot is None:
            return states.unpublished(home, status)
        source = Cached(snapshot)
        view = _view(source, status, home, chosen.title, needs_deployments=chosen in needing_deployments)
        if view:
            views.append(view)
            chosen.run()
    except (WarehouseError, duckdb.Error) as error:
        states.unreadable(error)


def _view(source: Cached, status: Status, home: Home, title: str, *, needs_deployments: bool) -> View | None:
    """Draw all that stands above the page itself; None where there is nothing to filter."""
    workspace = queries.workspace(source)
    zone = ZoneInfo(str(workspace["timezone"]))
    read_until = _read_until(workspace, status).astimezone(zone)
    demo = " :violet-badge[Demo data]" if workspace["is_demo"] else ""
    st.title(f"{title}{demo}", anchor=False)
    states.banners(home, source.snapshot.id, status, read_until)
    organisation = words.plain(workspace["organisation"])
    lines = [f"{organisation} · data read until {words.day(read_until)}, {read_until:%H:%M} ({zone})"]
    scopes, deployed, covered = queries.scopes(source), queries.extent(source), queries.covered_on(source)
    extent = deployed or queries.committed(source)
    if extent is None or covered is None or (needs_deployments and not deployed):
        st.caption(lines[0])
        states.no_deployments(source)
        return None
    scope, grain, (since, until) = filters.bar(scopes, extent, covered)
    lines[0] = f"**{words.span(since, until)}** · {lines[0]}"
    if deployed and filters.anchor(extent[1], covered) != covered:
        lines.append(f"Nothing deployed since {words.day(extent[1])}: periods count back from there.")
    if scope.level != "service" and queries.services(source, scope) < 5:
        lines.append(
            "A median over fewer than 5 services is compared with nothing: choose one for its own trend."
        )
    st.caption("  \n".join(lines))
    return View(source, zone, scope, grain, since, until)


def _read_until(workspace: pd.Series, status: Status) -> datetime:
    """The later of what the snapshot was made from and the last complete read of all sources.

    A sync that finds nothing new publishes nothing and still makes the data fresher.
    """
    covered = workspace["covered_until"]
    moments = [pd.Timestamp(workspace["published_at"] if pd.isna(covered) else covered).to_pydatetime()]
    reads = [source.succeeded_at for source in status.sources.values()]
    complete = [moment for moment in reads if moment is not None]
    if reads and len(complete) == len(reads):
        moments.append(min(complete))
    return max(moments)
