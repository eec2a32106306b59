"""The frame of every page: navigation, heading, banners, filter bar."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from zoneinfo import ZoneInfo

import duckdb
import streamlit as st

from dashboards import filters, freshness, navigation, queries, states, viewer, words
from dashboards.roles import Role
from dashboards.site import PAGES, FilteredPage, Page
from dashboards.theme import LOGO, MARK, STYLE
from dashboards.view import Cached, View
from pipelines.home import Home
from pipelines.status import Status, read
from pipelines.warehouse import WarehouseError, published


def show() -> None:
    """Draw the page that the URL names."""
    # First: a page's icon would be asked of Google for want of another.
    st.set_page_config(page_icon=MARK, layout="wide")
    roles = viewer.roles()
    chosen, run = _navigate(roles)
    st.set_page_config(page_title=f"{chosen.title} · Cairn")
    st.logo(LOGO, size="large")
    st.html(STYLE)
    if viewer.is_signed_in():
        states.signed_in(roles)
    if not chosen.readers & roles:
        return states.no_access(chosen.title, chosen.readers)
    home = Home.from_env()
    status = read(home)
    try:
        snapshot = published(home)
        if snapshot is None:
            return states.unpublished(home, status)
        source = Cached(snapshot)
        told, zone = _above(source, status, home, chosen.title)
        if isinstance(chosen, Page):
            st.caption(told)
            run(partial(chosen.draw, source))
        elif view := _view(source, zone, told, needs_deployments=chosen.needs_deployments):
            run(partial(chosen.draw, view))
    except (WarehouseError, duckdb.Error) as error:
        states.unreadable(error)


def _navigate(roles: frozenset[Role]) -> tuple[Page | FilteredPage, Callable[[Callable[[], None]], None]]:
    """Draw the navigation; the page that the URL names, and what draws it by a function.

    Pages that others read are in it and not shown, so that their URLs say whose they are.
    """
    drawn: list[Callable[[], None]] = []

    def draw() -> None:
        drawn[0]()

    entries = [(page, navigation.entry(page, draw, is_shown=bool(page.readers & roles))) for page in PAGES]
    chosen = st.navigation([target for _, target in entries], position="hidden")
    navigation.sidebar((page, target) for page, target in entries if page.readers & roles)

    def run(page: Callable[[], None]) -> None:
        drawn.append(page)
        chosen.run()

    return next(page for page in PAGES if page.path == chosen.url_path), run


def _above(source: Cached, status: Status, home: Home, title: str) -> tuple[str, ZoneInfo]:
    """Draw heading and banners; whose data it is and how fresh, and the workspace's zone."""
    workspace = queries.workspace(source)
    zone = ZoneInfo(str(workspace["timezone"]))
    read_until = freshness.read_until(source, status).astimezone(zone)
    demo = " :violet-badge[Demo data]" if workspace["is_demo"] else ""
    st.title(f"{title}{demo}", anchor=False)
    states.banners(home, source.snapshot.id, status, read_until)
    organisation = words.plain(workspace["organisation"])
    return f"{organisation} · data read until {words.day(read_until)}, {read_until:%H:%M} ({zone})", zone


def _view(source: Cached, zone: ZoneInfo, told: str, *, needs_deployments: bool) -> View | None:
    """Draw the filter bar and what it is about; None where there is nothing to filter."""
    scopes, deployed, covered = queries.scopes(source), queries.extent(source), queries.covered_on(source)
    extent = deployed or queries.committed(source)
    if extent is None or covered is None or (needs_deployments and not deployed):
        st.caption(told)
        states.no_deployments(source)
        return None
    scope, grain, (since, until) = filters.bar(scopes, extent, covered)
    lines = [f"**{words.span(since, until)}** · {told}"]
    if deployed and filters.anchor(extent[1], covered) != covered:
        lines.append(f"Nothing deployed since {words.day(extent[1])}: periods count back from there.")
    if scope.level != "service" and queries.services(source, scope) < 5:
        lines.append(
            "A median over fewer than 5 services is compared with nothing: choose one for its own trend."
        )
    st.caption("  \n".join(lines))
    return View(source, zone, scope, grain, since, until)
