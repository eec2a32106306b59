"""An ASGI app that says something else now and then."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

Change = Callable[[str, Any], Any]
"""Given the path and the parsed body of an answer: the body to send instead."""


class Twisted:
    """`app`, but for the paths that `answers` answers and the bodies that `change` changes."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.answers: dict[str, tuple[int, Any]] = {}
        """Path → status and body."""
        self.change: Change | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path = scope["path"]
        if path in self.answers:
            status, body = self.answers[path]
            await JSONResponse(body, status)(scope, receive, send)
            return
        start: Message = {}
        content = b""

        async def kept(message: Message) -> None:
            nonlocal start, content
            if message["type"] == "http.response.start":
                start = message
            else:
                content += message.get("body", b"")

        await self.app(scope, receive, kept)
        body = json.loads(content)
        if self.change:
            body = self.change(path, body)
        headers = {
            name.decode(): value.decode() for name, value in start["headers"] if name != b"content-length"
        }
        await JSONResponse(body, start["status"], headers)(scope, receive, send)
