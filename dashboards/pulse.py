"""`/pulse/{token}`: the survey form over HTTP.

The token alone lets in: there is no cookie that another site could make a browser send. It has 256 bits;
guesses are not counted, which would mean keeping who asked, or shutting out an office behind one address.
Pages are neither cached nor framed, run no script, and tell no other site where they are.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from dashboards import bodies
from pipelines import surveys as survey_data
from pipelines.home import Home
from pipelines.workspace import WorkspaceError, find, load
from surveys.errors import StoreError, StoreGone
from surveys.form import visits
from surveys.form.rendering import content_security_policy
from surveys.form.visits import Answering, Reply

if TYPE_CHECKING:
    from surveys.store import Store

MOST_BYTES = 1 << 20
"""Of what a page sends: enough for a comment far too long to be sent back for shortening."""
_MOST_FIELDS = 200

log = logging.getLogger(__name__)

Opened = Callable[[], Answering | None]
"""Gives the survey store, None while there is none; raises `StoreError` or `WorkspaceError`."""


def build(opened: Opened | None = None) -> Starlette:
    """The form, to be mounted at `/pulse`; the store is where `CAIRN_HOME` and the workspace say."""
    stores = opened or _Stores()

    async def get(request: Request) -> Response:
        query, accepted = _asked(request)
        token = request.path_params["token"]
        return await _replied(
            stores, lambda store: visits.show(store, token, query, accepted), query, accepted
        )

    async def post(request: Request) -> Response:
        query, accepted = _asked(request)
        token = request.path_params["token"]
        try:
            fields = _fields(request.headers.get("content-type", ""), await bodies.read(request, MOST_BYTES))
        except bodies.TooLarge:
            response = _response(visits.message("too_large", 413, query, accepted))
            if not await bodies.is_drained(request):
                response.headers["Connection"] = "close"
            return response
        except (bodies.TooSlow, bodies.CutOff, ValueError):
            return _response(visits.message("not_understood", 400, query, accepted))
        return await _replied(
            stores, lambda store: visits.take(store, token, query, fields, accepted), query, accepted
        )

    routes = [
        Route("/{token:path}", get, methods=["GET"]),
        Route("/{token:path}", post, methods=["POST"]),
    ]
    return Starlette(routes=routes)


class _Stores:
    """Opens the store with the first visit, and anew after it was lost."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._store: Store | None = None

    def __call__(self) -> Store | None:
        with self._lock:
            if self._store is None:
                home, path = Home.from_env(), find(None, os.environ)
                if path and survey_data.is_there(home, workspace := load(path, os.environ)):
                    self._store = survey_data.open_store(home, workspace)
            return self._store

    def forget(self) -> None:
        """Open it anew next time."""
        with self._lock:
            lost, self._store = self._store, None
        if lost:
            lost.dispose()


async def _replied(
    stores: Opened, reply: Callable[[Answering], Reply], query: Mapping[str, str], accepted: str
) -> Response:
    def made() -> Reply:
        try:
            store = stores()
            return visits.message("closed", 404, query, accepted) if store is None else reply(store)
        except (StoreError, WorkspaceError, OSError) as error:
            # Its words may hold an address of the database or, one day, more: its kind is enough.
            log.error("The survey store can't be used: %s", type(error).__name__)
            if isinstance(error, StoreGone) and isinstance(stores, _Stores):
                stores.forget()
            return visits.message("unavailable", 503, query, accepted)

    return _response(await run_in_threadpool(made))


def _asked(request: Request) -> tuple[Mapping[str, str], str]:
    return request.query_params, request.headers.get("accept-language", "")


def _fields(content_type: str, body: bytes) -> dict[str, str]:
    """The fields of a form that was sent; raises ValueError for anything else."""
    if content_type.partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        raise ValueError("this is no form")
    text = body.decode("utf-8", "replace")
    return dict(parse_qsl(text, keep_blank_values=True, errors="replace", max_num_fields=_MOST_FIELDS))


def _response(reply: Reply) -> Response:
    response: Response = HTMLResponse(reply.html, reply.status)
    if reply.query is not None:
        # Relative, so that it holds whatever a proxy puts before the path, and repeats no token.
        response = RedirectResponse(f"?{reply.query}", reply.status)
    response.headers.update(
        {
            "Cache-Control": "no-store",
            "Content-Security-Policy": content_security_policy(),
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
            "X-Robots-Tag": "noindex, nofollow",
        }
    )
    return response
