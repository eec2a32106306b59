"""Home: what whoever looks came for, by the kind of person."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import streamlit as st

from dashboards import viewer
from dashboards.landings import developer, leadership, platform
from dashboards.roles import Role
from dashboards.view import View


class Kind(NamedTuple):
    """A kind of person."""

    role: Role
    show: Callable[[View], None]


KINDS: Mapping[str, Kind] = {
    "Leadership": Kind(Role.leadership, leadership.show),
    "Platform team": Kind(Role.platform, platform.show),
    "Developer": Kind(Role.developer, developer.show),
}


def show(view: View) -> None:
    """The landing of the only kind that the person is, or of the one chosen."""
    mine = kinds(viewer.roles())
    chosen: str | None = mine[0]
    if len(mine) > 1:
        chosen = st.segmented_control(
            "I look as", mine, default=mine[0], required=True, key="as", bind="query-params"
        )
    # A URL may say nothing, in spite of `required`.
    KINDS[chosen or mine[0]].show(view)


def kinds(roles: frozenset[Role]) -> list[str]:
    """The kinds that somebody with these roles is."""
    return [name for name, kind in KINDS.items() if roles & {kind.role, Role.admin}]
