"""Runs an ASGI app on a free port of this machine for as long as a test needs it."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send


class Received(NamedTuple):
    """A request as the server saw it."""

    method: str
    path: str
    """Still percent-encoded, as it was sent."""
    query: list[tuple[str, str]]
    headers: dict[str, str]
    """By name in lower case."""


@contextmanager
def serving(app: ASGIApp, received: list[Received] | None = None, **options: Any) -> Iterator[str]:
    """Serve `app` on 127.0.0.1; gives its URL, without a slash at the end.

    What it receives is appended to `received`; `options` are uvicorn's, as for TLS.
    """
    server = _Server(
        uvicorn.Config(
            app if received is None else _recording(app, received),
            log_config=None,
            log_level="error",  # at `info` it logs whole addresses
            timeout_graceful_shutdown=1,
            **options,
        )
    )
    listening = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive(), "the server did not start"
            time.sleep(0.005)
        scheme = "https" if options.get("ssl_certfile") else "http"
        yield f"{scheme}://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
        listening.close()


class _Server(uvicorn.Server):
    """Ends at once: uvicorn's own looks ten times a second whether it should."""

    async def main_loop(self) -> None:
        while not await self.on_tick(0):
            await asyncio.sleep(0.005)


def _recording(app: ASGIApp, received: list[Received]) -> ASGIApp:
    async def recorded(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            query = parse_qsl(scope["query_string"].decode(), keep_blank_values=True)
            headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
            received.append(Received(scope["method"], scope["raw_path"].decode("latin-1"), query, headers))
        await app(scope, receive, send)

    return recorded
