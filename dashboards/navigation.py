"""The ways between pages, which keep what the filters are set to.

Streamlit's own list of pages puts its sections between a list and the items, where no screen reader expects
them; these are links below captions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import groupby
from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    from dashboards.site import FilteredPage, Page


def entry(page: Page | FilteredPage, draw: Callable[[], None], *, is_shown: bool) -> st.Page:
    """The page as Streamlit knows it."""
    return st.Page(
        draw,
        title=page.title,
        url_path=page.path,
        icon=f":material/{page.icon}:",
        default=not page.path,
        visibility="visible" if is_shown else "hidden",
    )


def sidebar(pages: Iterable[tuple[Page | FilteredPage, st.Page]]) -> None:
    """Links to the pages, by section."""
    with st.sidebar:
        for section, entries in groupby(pages, key=lambda each: each[0].section):
            with st.container(gap="xxsmall"):
                if section:
                    st.caption(f"**{section}**")
                for _, target in entries:
                    st.page_link(target, width="stretch", query_params=st.query_params.to_dict())


def link(path: str, label: str, **params: str) -> None:
    """A link to the page of a path, with `params` added to what the URL says."""
    st.page_link(
        st.Page(lambda: None, title=label, url_path=path),
        icon=":material/arrow_forward:",
        query_params={**st.query_params.to_dict(), **params},
    )
