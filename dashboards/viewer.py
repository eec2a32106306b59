"""What whoever asks may read, as the gate found it: of a request, and of the page that is being drawn."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import streamlit as st
from starlette.requests import HTTPConnection

from dashboards.roles import Role

ROLES = "x-cairn-roles"
SIGNED_IN = "x-cairn-signed-in"
"""Headers by which the gate tells Streamlit's scripts; what a client says in them is dropped there."""


def roles() -> frozenset[Role]:
    """Of whoever the page is drawn for: all where no sign-in is configured."""
    return frozenset(map(Role, st.context.headers.get(ROLES, "").split()))


def is_signed_in() -> bool:
    """Whether whoever the page is drawn for has a session that can be ended."""
    return SIGNED_IN in st.context.headers


def roles_of(connection: HTTPConnection) -> frozenset[Role]:
    """Of a request: none without a session, all where no sign-in is configured."""
    known: frozenset[Role] = connection.scope.get(ROLES, frozenset())
    return known


def told(scope: dict[str, Any], roles: Iterable[Role], *, is_signed_in: bool) -> dict[str, Any]:
    """The ASGI scope of a connection with what the functions above read."""
    own = {ROLES.encode(), SIGNED_IN.encode()}
    headers = [(name, value) for name, value in scope["headers"] if name.lower() not in own]
    headers.append((ROLES.encode(), " ".join(roles).encode()))
    if is_signed_in:
        headers.append((SIGNED_IN.encode(), b"yes"))
    return {**scope, "headers": headers, ROLES: frozenset(roles)}
