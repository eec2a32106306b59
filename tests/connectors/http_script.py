"""A server that answers as a test tells it to."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import cast

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.serving import Received, serving

Reply = ASGIApp | Callable[[Request], Response]
"""An answer, a coroutine function that speaks ASGI, or a function that makes an answer to the request."""


class Script:
    """Answers each request with the next reply; with the last one ever after."""

    def __init__(self, *replies: Reply) -> None:
        self.url = ""
        """Where it is served."""
        self.received: list[Received] = []
        self.bodies: list[bytes] = []
        self._replies = list(replies)
        self._lock = threading.Lock()

    def answers(self, *replies: Reply) -> str:
        """Begin anew with other replies; returns the URL."""
        self._replies = list(replies)
        self.received.clear()
        self.bodies.clear()
        return self.url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        self.bodies.append(await request.body())
        with self._lock:
            reply = self._replies.pop(0) if len(self._replies) > 1 else self._replies[0]
        if not isinstance(reply, Response) and not inspect.iscoroutinefunction(reply):
            reply = cast("Callable[[Request], Response]", reply)(request)
        await cast("Callable[[Scope, Receive, Send], Awaitable[None]]", reply)(scope, receive, send)


@contextmanager
def scripted(*replies: Reply) -> Iterator[Script]:
    """A script, served."""
    script = Script(*replies)
    with serving(script, script.received, date_header=False) as script.url:
        yield script


def ok(body: object = None, **headers: str) -> JSONResponse:
    return JSONResponse(body if body is not None else {"id": 1}, headers=_named(headers))


def error(status: int, body: object = None, **headers: str) -> Response:
    content = body if body is not None else {"message": "no"}
    if isinstance(content, str):
        return Response(content, status, _named(headers), "text/html")
    return JSONResponse(content, status, headers=_named(headers))


def redirect(to: str, status: int = 302) -> Response:
    return Response(status_code=status, headers={"Location": to})


async def cut_off(scope: Scope, receive: Receive, send: Send) -> None:
    """Promises more than it sends."""
    headers = [(b"content-type", b"application/json"), (b"content-length", b"1000")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b'{"id": 1, "name": "'})


async def silent(scope: Scope, receive: Receive, send: Send) -> None:
    """Says nothing until the other side has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _named(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}
