"""The body of a request, within bounds of size and time."""

from __future__ import annotations

import asyncio

from starlette.requests import ClientDisconnect, Request

_SECONDS = 30
_DRAIN_SECONDS = 5
_MOST_DRAINED_BYTES = 16 << 20


class TooLarge(Exception):
    """It has more bytes than are taken."""


class TooSlow(Exception):
    """It did not come in time."""


class CutOff(Exception):
    """It ends too early."""


async def read(request: Request, most_bytes: int) -> bytes:
    """The whole body; raises `TooLarge`, `TooSlow` or `CutOff`."""
    declared = request.headers.get("content-length", "0")
    if declared.isdecimal() and int(declared) > most_bytes:
        raise TooLarge
    body = bytearray()
    try:
        async with asyncio.timeout(_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > most_bytes:
                    raise TooLarge
    except TimeoutError:
        raise TooSlow from None
    except ClientDisconnect:
        raise CutOff from None
    return bytes(body)


async def is_drained(request: Request) -> bool:
    """Read what is left of a body, as far as that is sensible; whether it came to an end.

    A client whose connection is closed while it sends may never see why.
    """
    left = _MOST_DRAINED_BYTES
    try:
        async with asyncio.timeout(_DRAIN_SECONDS):
            async for chunk in request.stream():
                left -= len(chunk)
                if left < 0:
                    return False
    except (TimeoutError, ClientDisconnect):
        return False
    except RuntimeError:  # it has been read
        pass
    return True
