"""Why a request is refused, as RFC 9457 has it."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from dashboards import bodies

TITLES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    406: "Not Acceptable",
    408: "Request Timeout",
    410: "Gone",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    422: "Unprocessable Content",
    429: "Too Many Requests",
    503: "Service Unavailable",
}
"""Every status that refuses → what RFC 9110 calls it."""

log = logging.getLogger(__name__)


class Problem(Exception):
    """A refusal, raised wherever it is found."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        errors: Sequence[Mapping[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = errors
        """What is wrong where: `pointer` into the body or `parameter` of the query, `detail` and `mend`."""
        self.headers = headers


async def refused(request: Request, problem: Exception) -> Response:
    """The answer to a request that a `Problem` ended."""
    assert isinstance(problem, Problem)
    headers = dict(problem.headers or {})
    if not await bodies.is_drained(request):
        headers["Connection"] = "close"
    return _response(problem.status, problem.detail, headers, problem.errors)


async def no_such_route(request: Request, error: Exception) -> Response:
    """The answer to a request that no route takes; for OPTIONS, what the route does take."""
    assert isinstance(error, HTTPException)
    allowed = (error.headers or {}).get("Allow", "")
    if request.method == "OPTIONS" and error.status_code == 405:
        return Response(status_code=204, headers={"Allow": f"{allowed}, OPTIONS"})
    words = {
        404: "There is nothing here: see /api/v1/openapi.json",
        405: f"This takes {allowed.replace(', ', ' and ')}: see /api/v1/openapi.json",
    }
    return _response(error.status_code, words.get(error.status_code, error.detail), error.headers)


async def not_stored(_request: Request, error: Exception) -> Response:
    """The answer where the disk does not do what it should."""
    log.error("A request could not be answered: %s", error)
    return _response(503, "The data could not be read or written: try again", {"Retry-After": "60"})


def _response(
    status: int,
    detail: str,
    headers: Mapping[str, str] | None = None,
    errors: Sequence[Mapping[str, str]] = (),
) -> Response:
    content: dict[str, Any] = {"type": "about:blank", "title": TITLES.get(status, ""), "status": status}
    content |= {"detail": detail} | ({"errors": list(errors)} if errors else {})
    return JSONResponse(content, status, headers, media_type="application/problem+json")
