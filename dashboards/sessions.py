"""Who is signed in: roles for as long as a session lasts, and nothing of the person.

They are in this process's memory alone: a restart ends them all.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta

from dashboards.roles import Role

_LOOK_SECONDS = 30.0
"""A machine that slept, or whose clock was set, is caught up with after as long."""
_LEAVING_SECONDS = 3.0


@dataclass(frozen=True)
class Session:
    """A sign-in and what it lets somebody read."""

    roles: frozenset[Role]
    ends_at: float
    """Unix time in seconds."""
    id_token: str = field(repr=False)
    """For the provider alone, to end its own session with this one."""
    _ended: asyncio.Event = field(default_factory=asyncio.Event, repr=False)

    def end(self) -> None:
        """End it before its time."""
        self._ended.set()

    def seconds_left(self) -> float:
        """0 once it is over."""
        return 0.0 if self._ended.is_set() else max(0.0, self.ends_at - now())

    async def over(self) -> None:
        """Return when it is over; where it was ended, once the page that did so can have left."""
        while left := self.seconds_left():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ended.wait(), min(left, _LOOK_SECONDS))
        if self._ended.is_set():
            await asyncio.sleep(_LEAVING_SECONDS)


class Sessions:
    """All that are under way, by what only their browsers know."""

    def __init__(self, length: timedelta) -> None:
        self._length = length
        self._by_token: dict[str, Session] = {}

    def begin(self, roles: frozenset[Role], id_token: str) -> str:
        """Begin one; the token of 256 bits it is known by."""
        for over in [token for token, each in self._by_token.items() if not each.seconds_left()]:
            del self._by_token[over]
        token = secrets.token_urlsafe(32)
        self._by_token[token] = Session(roles, now() + self._length.total_seconds(), id_token)
        return token

    def find(self, token: str | None) -> Session | None:
        """The session of a token, as long as it lasts."""
        session = self._by_token.get(token or "")
        return session if session and session.seconds_left() else None

    def end(self, token: str | None) -> Session | None:
        """End the session of a token; what it was, where there was one."""
        session = self._by_token.pop(token or "", None)
        if session:
            session.end()
        return session


def now() -> float:
    """Unix time in seconds."""
    return time.time()
