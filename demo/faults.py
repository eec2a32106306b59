"""What goes wrong between a client and a tool, on purpose, by a seed, and never for ever.

Each request (method, path, query and body) fails a few times at most and then is answered as if
nothing were wrong, so that whoever tries again gets everything in the end.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import parse_qsl

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_PAGES = frozenset({"page", "offset", "cursor"})
"""Query parameters that say which page is wanted."""
_BEYOND_FIRST: Mapping[str, str] = {"page": "1", "offset": "0"}

_AT_MOST_IN_ALL = {"limit": 8, "limit of the hour": 8, "silence": 1}
"""Faults that keep everybody waiting: the others may come with any request."""
_FAULTS = ("limit", "limit of the hour", "silence", "truncate", "bad gateway")

Headers = dict[str, str]


class Faults:
    """ASGI middleware that refuses, delays, breaks off and repeats."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        seed: int,
        share: float = 0.1,
        at_most: int = 2,
        skew: timedelta = timedelta(hours=3),
        silence_seconds: float | None = None,
        expires_after: int | None = None,
        expired: Path | None = None,
    ) -> None:
        """`share` of the requests fail, each `at_most` times; the clock is `skew` ahead.

        One hears nothing for `silence_seconds`, where these are given. Once, after `expires_after`
        requests, the token is refused; the file `expired` remembers that over restarts.
        """
        self._app = app
        self._seed = seed
        self._share = share
        self._at_most = at_most
        self._skew = skew
        self._silence_seconds = silence_seconds
        self._left = Counter(_AT_MOST_IN_ALL if silence_seconds else {**_AT_MOST_IN_ALL, "silence": 0})
        self._expires_after = expires_after
        self._expired = expired
        self._requests = 0
        self._failures: Counter[str] = Counter()
        self._last_items: dict[str, Any] = {}
        """Request without its page → the last item of the page answered last."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or do not."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = await _body(receive)
        target = f"{scope['method']} {scope['path']}?{scope['query_string'].decode('latin-1')}"
        name = hashlib.sha256(f"{target} ".encode() + body).hexdigest()
        self._requests += 1
        if self._has_expired():
            await self._answer(send, 401, {}, b'{"message":"Bad credentials","status":"401"}')
            return
        fault = self._fault(name)
        if fault not in {None, "truncate"}:
            await self._fail(str(fault), receive, send)
            return
        status, headers, content = await self._asked(scope, body)
        if fault == "truncate":
            content = content[: len(content) // 2]
        elif status == 200:
            content = self._repeated(scope, name, body, content)
        await self._answer(send, status, headers, content)

    def _has_expired(self) -> bool:
        if self._expires_after is None or self._requests <= self._expires_after:
            return False
        self._expires_after = None
        if self._expired is not None:
            if self._expired.exists():
                return False
            self._expired.touch()
        return True

    def _fault(self, name: str) -> str | None:
        """What is to go wrong with this request this time."""
        done = self._failures[name]
        random = Random(f"{self._seed}:{name}:{done}")
        if done >= self._at_most or random.random() > (self._share if not done else 0.4):
            return None
        self._failures[name] += 1
        fault = random.choice(_FAULTS)
        if fault in _AT_MOST_IN_ALL:
            self._left[fault] -= 1
            if self._left[fault] < 0:
                fault = "bad gateway"
        return fault

    async def _fail(self, fault: str, receive: Receive, send: Send) -> None:
        """Answer with an error, if at all."""
        if fault == "limit":
            after = str(self._requests % 2)
            await self._answer(send, 429, {"retry-after": after}, b'{"message":"Too Many Requests"}')
        elif fault == "limit of the hour":
            resets_at = str(int((datetime.now(UTC) + self._skew).timestamp()) + 1)
            headers = {
                "x-ratelimit-limit": "5000",
                "x-ratelimit-remaining": "0",
                "x-ratelimit-reset": resets_at,
            }
            await self._answer(send, 429, headers, b'{"message":"API rate limit exceeded"}')
        elif fault == "bad gateway":
            page = b"<html><body><h1>502 Bad Gateway</h1></body></html>"
            await self._answer(send, 502, {"content-type": "text/html"}, page)
        elif fault == "silence":
            gone = asyncio.ensure_future(receive())
            await asyncio.wait({gone}, timeout=self._silence_seconds)
            if not gone.cancel():
                return
            page = b"<html><body><h1>504 Gateway Timeout</h1></body></html>"
            await self._answer(send, 504, {"content-type": "text/html"}, page)

    async def _asked(self, scope: Scope, body: bytes) -> tuple[int, Headers, bytes]:
        """What the app answers."""
        status, headers, parts = 500, Headers(), []

        async def receive() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers.update({name.decode(): value.decode() for name, value in message["headers"]})
            else:
                parts.append(message.get("body", b""))

        await self._app(scope, receive, send)
        return status, headers, b"".join(parts)

    def _repeated(self, scope: Scope, name: str, body: bytes, content: bytes) -> bytes:
        """Some pages begin with the last item of the page before, as if one had been added meanwhile."""
        family, is_first = _family(scope, body)
        try:
            said = json.loads(content)
        except ValueError:
            return content
        items = _items(said)
        if not items:
            return content
        before = None if is_first else self._last_items.get(family)
        self._last_items[family] = items[-1]
        if before is None or int(name[:2], 16) % 3:
            return content
        items.insert(0, before)
        return json.dumps(said).encode()

    async def _answer(self, send: Send, status: int, headers: Headers, content: bytes) -> None:
        now = datetime.now(UTC) + self._skew
        sent = {"content-type": "application/json", **headers, "date": format_datetime(now, usegmt=True)}
        if status != 304:
            sent["content-length"] = str(len(content))
        encoded = [(name.encode(), value.encode()) for name, value in sent.items()]
        await send({"type": "http.response.start", "status": status, "headers": encoded})
        await send({"type": "http.response.body", "body": content})


async def _body(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


def _family(scope: Scope, body: bytes) -> tuple[str, bool]:
    """What the pages of one list have in common, and whether this is the first of them."""
    query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    is_first = not any(key in _PAGES and _BEYOND_FIRST.get(key) != value for key, value in query)
    asked: Any = [pair for pair in query if pair[0] not in _PAGES]
    if body:
        try:
            variables = json.loads(body).get("variables") or {}
        except (ValueError, AttributeError):
            variables = {}
        is_first = is_first and not variables.get("after")
        # The size of a page may change on the way.
        kept = {key: value for key, value in variables.items() if key not in {"after", "first"}}
        asked = [asked, hashlib.sha256(body.partition(b'"variables"')[0]).hexdigest(), kept]
    return json.dumps([scope["path"], asked]), is_first


def _items(said: Any) -> list[Any] | None:
    """The list in an answer, at the top or further in; None where there is none, or more than one."""
    if isinstance(said, list):
        return said
    if not isinstance(said, dict):
        return None
    found = [items for value in said.values() if (items := _items_below(value)) is not None]
    return found[0] if len(found) == 1 else None


def _items_below(value: Any) -> list[Any] | None:
    if isinstance(value, list):
        return value
    # GraphQL's connections: `edges`, or `nodes`, beside `pageInfo`, however deep.
    if isinstance(value, dict):
        if "pageInfo" in value:
            return next(
                (value[name] for name in ("edges", "nodes") if isinstance(value.get(name), list)), None
            )
        found = [
            items for inner in value.values() if isinstance(inner, dict) and (items := _items_below(inner))
        ]
        return found[0] if len(found) == 1 else None
    return None
