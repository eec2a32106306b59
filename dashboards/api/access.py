"""Who may use the API: programs by a credential; people by their session, as the gate found it."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from dashboards import viewer
from dashboards.api.problems import Problem
from dashboards.rates import Rates
from dashboards.roles import EVERYONE, RUNNERS
from pipelines import credentials
from pipelines.credentials import Credential, May
from pipelines.home import Home

PER_MINUTE = 600
"""Requests of one sender or reader."""

READERS = {
    May.metrics: EVERYONE,
    May.adoption: EVERYONE,
    May.surveys: EVERYONE,
    May.monitoring: RUNNERS,
}
"""What is read → the roles of people who may."""


async def check_reader(request: Request, may: May, rates: Rates) -> None:
    """Raise `Problem` unless whoever asks may read this, and not too often."""
    token = bearer(request)
    if token is not None:
        credential = await run_in_threadpool(credentials.by_token, Home.from_env(), token)
        check_rate(request, credential, rates)
        return check(credential, may)
    check_rate(request, None, rates)
    roles = viewer.roles_of(request)
    if not roles:
        raise unknown()
    if not roles & READERS[may]:
        wanted = " or ".join(sorted(READERS[may]))
        raise Problem(403, f"Your role does not read {may}: {wanted} does")
    return None


def bearer(request: Request) -> str | None:
    """The token of the request; None where it brings none."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def check(credential: Credential | None, may: May) -> None:
    """Raise `Problem` for a wrong credential, or one that does not open this."""
    if credential is None:
        raise unknown()
    if may not in credential.may:
        opens = ", ".join(sorted(credential.may))
        mend = f"make one with `cairn token create NAME --may {may}`"
        raise Problem(403, f"This credential opens {opens} alone: {mend}")


def check_rate(request: Request, credential: Credential | None, rates: Rates) -> None:
    """Raise `Problem` where whoever asks has asked too often."""
    client = request.client.host if request.client else ""
    seconds = rates.wait_seconds(f"sender {credential.name}" if credential else f"client {client}")
    if seconds:
        raise Problem(429, "There are too many requests", headers={"Retry-After": str(seconds)})


def unknown() -> Problem:
    """Of credentials that are missing, wrong, revoked or expired: which of these is not said."""
    return Problem(
        401, "The credentials are missing, wrong or expired", headers={"WWW-Authenticate": "Bearer"}
    )
