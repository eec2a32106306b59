"""The ASGI app: the Streamlit pages, and beside them the API, the survey form, and whether it is well."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path

import streamlit as st
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from dashboards.access_log import mask_tokens
from dashboards.theme import CONFIG
from pipelines.home import Home
from pipelines.warehouse import WarehouseError, published


def build() -> st.App:
    """The app, for any ASGI server; the data is where `CAIRN_HOME` says when a request comes."""
    return st.App(
        # Beside a folder `pages`, Streamlit would take its files for pages, and not find ours at first.
        Path(__file__).parent / "pages" / "script.py",
        routes=[
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Mount("/api/v1", _api),
            Mount("/pulse", _pulse),
        ],
        lifespan=_lifespan,
    )


def serve(port: int) -> None:
    """Serve on 127.0.0.1 until a signal comes; exits with status 1 where the port is taken."""
    build().run(config={**CONFIG, "server.port": port})


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


@cache
def _imported_api() -> ASGIApp:
    from dashboards import events

    return events.build()


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
