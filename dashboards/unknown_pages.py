"""Cairn's own answer where a browser asks for a page that is not there; Streamlit shows its first one."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from dashboards import notices
from dashboards.gate import is_open

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

_STREAMLITS = ("/_stcore/", "/app/static/", "/component/", "/media/", "/static/")


class UnknownPages:
    """Stands behind the gate: nobody else learns which pages there are."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve, or say that there is no such page."""
        if scope["type"] == "http" and "text/html" in Request(scope).headers.get("accept", ""):
            path = scope["path"]
            is_served = is_open(path) or path.startswith(_STREAMLITS)
            if not is_served and path.strip("/") not in await run_in_threadpool(_pages):
                return await notices.no_such_page()(scope, receive, send)
        return await self._app(scope, receive, send)


@cache
def _pages() -> frozenset[str]:
    from dashboards.site import PAGES

    return frozenset(page.path for page in PAGES)
