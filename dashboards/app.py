"""The ASGI app: the Streamlit pages, and beside them the API, the survey form, and whether it is well."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import streamlit as st
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from dashboards.access_log import mask_tokens
from dashboards.gate import Gate
from dashboards.sign_in import SignIn
from dashboards.theme import CONFIG
from dashboards.unknown_pages import UnknownPages
from pipelines.home import Home
from pipelines.warehouse import WarehouseError, published

if TYPE_CHECKING:
    from pipelines.sign_in_settings import SignInConfig


def build(sign_in: SignInConfig | None = None) -> st.App:
    """The app, for any ASGI server; the data is where `CAIRN_HOME` says when a request comes."""
    doors = SignIn(sign_in) if sign_in else None
    return st.App(
        # Beside a folder `pages`, Streamlit would take its files for pages, and not find ours at first.
        Path(__file__).parent / "pages" / "script.py",
        routes=[
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Route("/metrics", _metrics),
            Mount("/api/v1", _api),
            Mount("/pulse", _pulse),
            *(doors.routes() if doors else ()),
        ],
        middleware=[Middleware(Gate, sign_in=doors), Middleware(UnknownPages)],
        lifespan=_lifespan,
    )


def serve(host: str, port: int, sign_in: SignInConfig | None) -> None:
    """Serve until a signal comes; exits with status 1 where the port is taken.

    Without `sign_in` everyone who gets through reads everything: `host` is to be this machine's own.
    """
    # Which hosts may be named in requests is the gate's to say; a proxy may name another than browsers do.
    known = {"browser.serverAddress": urlsplit(sign_in.public_url).hostname} if sign_in else {}
    build(sign_in).run(config={**CONFIG, **known, "server.address": host, "server.port": port})


async def healthz(_request: Request) -> JSONResponse:
    """200 as long as the process answers."""
    return JSONResponse({"status": "ok"})


async def readyz(_request: Request) -> JSONResponse:
    """200 with the id of the published snapshot; 503 with the reason while there is none to show."""
    try:
        snapshot = await run_in_threadpool(published, Home.from_env())
    except WarehouseError as error:
        return JSONResponse({"status": "unavailable", "reason": str(error)}, status_code=503)
    if snapshot is None:
        reason = "Nothing is published yet: run `cairn sync`."
        return JSONResponse({"status": "unavailable", "reason": reason}, status_code=503)
    return JSONResponse({"status": "ok", "snapshot": snapshot.id})


async def _api(scope: Scope, receive: Receive, send: Send) -> None:
    # Imported with the first request, if it comes before `_warm` is done: the server is to answer at once.
    api = await run_in_threadpool(_imported_api)
    await api(scope, receive, send)


async def _pulse(scope: Scope, receive: Receive, send: Send) -> None:
    form = await run_in_threadpool(_imported_form)
    await form(scope, receive, send)


async def _metrics(request: Request) -> Response:
    from dashboards.api import monitoring

    return await monitoring.show(request)


@cache
def _imported_api() -> ASGIApp:
    from dashboards import api

    return api.build()


@cache
def _imported_form() -> ASGIApp:
    from dashboards import pulse

    return pulse.build()


@asynccontextmanager
async def _lifespan(_app: st.App) -> AsyncIterator[None]:
    mask_tokens()
    # The server answers at once; what the first page needs is imported while the browser opens.
    threading.Thread(target=_warm, daemon=True).start()
    yield


def _warm() -> None:
    import dashboards.frame  # noqa: F401

    _imported_api()
    _imported_form()
