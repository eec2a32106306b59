"""The API: programs send events to it, and read the figures that the pages show."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from dashboards.api import access, events, figures, monitoring, openapi, problems, surveys
from dashboards.rates import Rates
from pipelines.credentials import CredentialError, May

Endpoint = Callable[[Request], Awaitable[Response]]

_READ: dict[May, Endpoint] = {
    May.metrics: figures.metrics,
    May.adoption: figures.adoption,
    May.surveys: surveys.surveys,
}


def routes() -> list[Route]:
    """Everything that is below `/api/v1`."""
    rates = Rates(access.PER_MINUTE)

    def route(may: May, endpoint: Endpoint) -> Route:
        async def get(request: Request) -> Response:
            await access.check_reader(request, may, rates)
            return await endpoint(request)

        return Route(f"/{may}", get, methods=["GET"], name=may)

    return [
        *events.routes(rates),
        *(route(may, endpoint) for may, endpoint in _READ.items()),
        Route("/openapi.json", _openapi),
    ]


def build() -> ASGIApp:
    """The API, to be mounted at `/api/v1`; data and credentials are where `CAIRN_HOME` says."""
    known = routes()
    api = Starlette(
        routes=known,
        exception_handlers={
            problems.Problem: problems.refused,
            HTTPException: problems.no_such_route,
            OSError: problems.not_stored,
            CredentialError: problems.not_stored,
        },
    )
    api.router.redirect_slashes = False
    return monitoring.measured(api, {route.path for route in known})


async def _openapi(_request: Request) -> Response:
    return JSONResponse(openapi.document())
