"""The gate: lets nobody without a role past it to pages, their data, files and connections.

Streamlit serves whoever connects, and reads who that is once. Here each request and each message is
checked, and a connection ends with the session it was opened in.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, Response
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from dashboards import notices, viewer
from dashboards.roles import EVERYONE

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from dashboards.sessions import Session
    from dashboards.sign_in import SignIn

OPEN = (
    "/healthz", "/readyz", "/metrics", "/api/", "/pulse/", "/sign-in/", "/sign-out", "/signed-out",
    # A page that lost its connection asks for these before it connects again, and is then told to reload.
    "/_stcore/health", "/_stcore/host-config",
)  # fmt: skip
"""Paths, and with a slash at the end beginnings of paths, that look to their readers themselves."""

_OF_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})
_POLICY_VIOLATION = 1008


class Gate:
    """Stands before all routes; without `sign_in` only this machine's own addresses are known."""

    def __init__(self, app: ASGIApp, sign_in: SignIn | None) -> None:
        self._app = app
        self._sign_in = sign_in
        self._origin = sign_in.origin if sign_in else None
        self._hosts = _OF_THIS_MACHINE | ({sign_in.host} if sign_in else set())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve, answer in the app's place, or tell a page to reload and so to meet the answer."""
        if scope["type"] == "lifespan":
            return await self._app(scope, receive, send)
        connection = HTTPConnection(scope)
        # A page elsewhere whose name leads here must read nothing, even where everyone may.
        is_known_host = _host(connection) in self._hosts
        session = self._sign_in.session(connection) if self._sign_in else None
        if self._sign_in or not is_known_host:
            roles = session.roles if session and is_known_host else frozenset()
        else:
            roles = EVERYONE
        told = viewer.told(dict(scope), roles, is_signed_in=session is not None)
        if scope["type"] == "websocket":
            if not self._is_from_here(connection):
                return await send({"type": "websocket.close"})
            if not roles:
                return await _turn_away(scope, receive, send)
            return await self._until_over(session, told, receive, send)
        if roles or is_open(scope["path"]):
            return await self._app(told, receive, send)
        answer = self._answer(connection, is_known_host=is_known_host, is_signed_in=session is not None)
        return await answer(scope, receive, send)

    def _is_from_here(self, connection: HTTPConnection) -> bool:
        # Left to Streamlit, an origin it does not know has it ask a site in the internet for its own address.
        origin = connection.headers.get("origin")
        own = f"//{connection.headers.get('host')}"
        return origin is None or origin.partition(":")[2] == own or origin == self._origin

    def _answer(self, connection: HTTPConnection, *, is_known_host: bool, is_signed_in: bool) -> Response:
        is_page = "text/html" in connection.headers.get("accept", "")
        if self._sign_in is None or not is_known_host:
            return notices.unknown_address() if is_page else PlainTextResponse("Unknown address", 400)
        if is_signed_in:
            text = "You have no role here"
            return notices.no_role(self._sign_in.contact) if is_page else PlainTextResponse(text, 403)
        if not is_page:
            return PlainTextResponse("Sign in first", 401, notices.CHALLENGE)
        path = connection.url.path + (f"?{connection.url.query}" if connection.url.query else "")
        return notices.signed_out(path)

    async def _until_over(self, session: Session | None, scope: Scope, receive: Receive, send: Send) -> None:
        if session is None:
            return await self._app(scope, receive, send)
        is_over = False

        async def watched() -> Message:
            nonlocal is_over
            message, over = asyncio.ensure_future(receive()), asyncio.ensure_future(session.over())
            try:
                await asyncio.wait({message, over}, return_when=asyncio.FIRST_COMPLETED)
                if not over.done() and session.seconds_left():
                    return message.result()
            finally:
                message.cancel()
                over.cancel()
            is_over = True
            return {"type": "websocket.disconnect", "code": _POLICY_VIOLATION}

        await self._app(scope, watched, send)
        if is_over:
            await _reload(send)
        return None


def _host(connection: HTTPConnection) -> str | None:
    # Not Starlette's, which takes the server's own where it does not like what was sent.
    try:
        return urlsplit(f"//{connection.headers.get('host', '')}").hostname
    except ValueError:
        return None


def is_open(path: str) -> bool:
    """Whether the path is one of `OPEN`."""
    return path in OPEN or path.startswith(tuple(each for each in OPEN if each.endswith("/")))


async def _turn_away(scope: Scope, receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "websocket.accept", "subprotocol": next(iter(scope["subprotocols"]), None)})
    await _reload(send)


async def _reload(send: Send) -> None:
    # A browser alone says nothing to a person whose connection is refused; this is what `st.login` says.
    message = ForwardMsg()
    message.auth_redirect.url = ""
    message.auth_redirect.SetInParent()
    await send({"type": "websocket.send", "bytes": message.SerializeToString()})
    await send({"type": "websocket.close", "code": _POLICY_VIOLATION})
