"""GitHub, as far as Cairn and a curious person need it: Actions by REST, the rest by GraphQL.

Serves the cloud's paths, and Enterprise Server's below `/api`. The git repositories themselves
are elsewhere.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from urllib.parse import urlencode

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from demo.servers import github_graphql, github_types
from demo.servers.github_rest import Bodies
from demo.world import Repository, Run, World

RUNS_CAP = 1000
"""How many runs a list filtered by time gives out."""

_LIMITS = {"core": 15_000, "graphql": 10_000}
_DOCS = "https://docs.github.com/rest"

Endpoint = Callable[[Request], Awaitable[Response]]


class Refusal(Exception):
    """An answer that is an error."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Moved(Exception):
    """The repository has another name by now; here it is."""


def app(world: World, token: str, scopes: Sequence[str] = ("read:org", "repo")) -> Starlette:
    """GitHub for whoever shows `token`, a classic personal access token with these `scopes`."""
    server = _Server(world, token, scopes)
    repository: dict[str, Callable[[Request], tuple[str, dict[str, str]]]] = {
        "": server.repository,
        "/actions/runs": server.runs,
        "/actions/runs/{run:int}": server.run,
        "/actions/runs/{run:int}/attempts/{attempt:int}": server.run,
        "/actions/runs/{run:int}/attempts/{attempt:int}/jobs": server.jobs,
    }
    rest = [
        Route("/user", server.rest(server.user)),
        Route("/rate_limit", server.rest(server.rate_limit)),
        *(
            Route(f"{place}{path}", server.rest(answer))
            for place in ("/repos/{owner}/{repo}", "/repositories/{id:int}")
            for path, answer in repository.items()
        ),
        Route("/{path:path}", server.rest(server.nothing)),
    ]
    return Starlette(
        routes=[
            Route("/graphql", server.graphql, methods=["POST"]),
            Route("/api/graphql", server.graphql, methods=["POST"]),
            Mount("/api/v3", routes=rest),
            *rest,
        ]
    )


class _Server:
    def __init__(self, world: World, token: str, scopes: Sequence[str]) -> None:
        self._world = world
        self._token = token
        self._scopes = scopes
        self._numbers = count(1)
        self._used: Counter[str] = Counter()
        self._types = github_types.types(world, scopes)
        self._abstract = github_types.abstract()

    # Around every answer

    def rest(self, answer: Callable[[Request], tuple[str, dict[str, str]]]) -> Endpoint:
        """An endpoint with credentials, errors, validators and rate limits around `answer`."""

        async def endpoint(request: Request) -> Response:
            try:
                self._check(request)
                text, headers = answer(request)
            except Refusal as refusal:
                return self._refused(refusal, "core")
            except Moved as moved:
                location = {"location": str(moved)}
                body = {"message": "Moved Permanently", "url": str(moved), "documentation_url": _DOCS}
                return self._answer(json.dumps(body), "core", 301, location)
            etag = f'W/"{hashlib.blake2b(text.encode(), digest_size=32).hexdigest()}"'
            headers = {**headers, "etag": etag, "cache-control": "private, max-age=60, s-maxage=60"}
            if request.headers.get("if-none-match") == etag:
                # It does not count against the limit.
                self._used["core"] -= 1
                return self._answer("", "core", 304, headers)
            return self._answer(text, "core", 200, headers)

        return endpoint

    async def graphql(self, request: Request) -> Response:
        try:
            self._check(request)
        except Refusal as refusal:
            return self._refused(refusal, "graphql")
        try:
            asked = json.loads(await request.body())
            query, variables = asked["query"], asked.get("variables") or {}
        except (ValueError, KeyError, TypeError, AttributeError):
            return self._refused(Refusal(400, "Problems parsing JSON"), "graphql")
        if not isinstance(query, str) or not isinstance(variables, dict):
            said = {"errors": [{"message": "A query attribute must be specified and must be a string."}]}
        else:
            said = github_graphql.execute(
                query, variables, asked.get("operationName"), self._types, self._abstract, self._world
            )
        return self._answer(json.dumps(said), "graphql", 200, {})

    def _check(self, request: Request) -> None:
        if not request.headers.get("user-agent"):
            rule = "Please make sure your request has a User-Agent header"
            raise Refusal(403, f"Request forbidden by administrative rules. {rule}")
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if not token:
            raise Refusal(401, "Requires authentication")
        if scheme.casefold() not in {"bearer", "token"} or token != self._token:
            raise Refusal(401, "Bad credentials")

    def _refused(self, refusal: Refusal, resource: str) -> Response:
        body = {"message": str(refusal), "documentation_url": _DOCS, "status": str(refusal.status)}
        return self._answer(json.dumps(body), resource, refusal.status, {})

    def _answer(self, text: str, resource: str, status: int, headers: Mapping[str, str]) -> Response:
        self._used[resource] += 1
        said = {
            "x-github-request-id": f"{next(self._numbers):04X}:DE30",
            "x-github-api-version-selected": "2022-11-28",
            "x-github-media-type": "github.v3; format=json",
            "x-oauth-scopes": ", ".join(self._scopes),
            "x-accepted-oauth-scopes": "",
            "x-ratelimit-resource": resource,
            **{f"x-ratelimit-{name}": str(value) for name, value in self._budget(resource).items()},
        }
        kind = None if status == 304 else "application/json; charset=utf-8"
        return Response(text, status, {**said, **headers}, media_type=kind)

    def _budget(self, resource: str) -> dict[str, int]:
        """What is left of the hour. The demo never runs out: it is read whole in minutes."""
        limit = _LIMITS[resource]
        used = min(self._used[resource], limit // 2)
        return {
            "limit": limit,
            "remaining": limit - used,
            "used": used,
            "reset": int(time.time()) // 3600 * 3600 + 3600,
        }

    # Answers, as text and further headers

    def user(self, request: Request) -> tuple[str, dict[str, str]]:
        person = {**self._bodies(request).user("cairn-reader")}
        nothing = ("bio", "blog", "company", "email", "hireable", "location", "name")
        counts = ("followers", "following", "public_gists", "public_repos")
        times = dict.fromkeys(("created_at", "updated_at"), "2020-01-01T00:00:00Z")
        more = dict.fromkeys(nothing) | dict.fromkeys(counts, 0) | times
        return json.dumps({**person, **more, "user_view_type": "public"}), {}

    def rate_limit(self, _: Request) -> tuple[str, dict[str, str]]:
        resources = {name: self._budget(name) for name in _LIMITS}
        resources["search"] = {**resources["core"], "limit": 30, "remaining": 30, "used": 0}
        return json.dumps({"resources": resources, "rate": resources["core"]}), {}

    def nothing(self, _: Request) -> tuple[str, dict[str, str]]:
        raise Refusal(404, "Not Found")

    def repository(self, request: Request) -> tuple[str, dict[str, str]]:
        return self._bodies(request).full_repository(self._repository(request)), {}

    def runs(self, request: Request) -> tuple[str, dict[str, str]]:
        repository = self._repository(request)
        latest = {run.id: run for run in sorted(repository.runs, key=lambda run: run.attempt)}
        created = request.query_params.get("created")
        begins, ends = _window(created) if created else (None, None)
        found = sorted(
            (
                run
                for run in latest.values()
                if (begins is None or run.created_at >= begins) and (ends is None or run.created_at < ends)
            ),
            key=lambda run: (run.created_at, run.id),
            reverse=True,
        )
        page, size = _paging(request)
        listed = found[:RUNS_CAP] if created else found
        bodies = self._bodies(request)
        text = bodies.runs(repository, listed[(page - 1) * size : page * size], len(found))
        return text, _links(request, page, size, len(listed))

    def run(self, request: Request) -> tuple[str, dict[str, str]]:
        repository = self._repository(request)
        return self._bodies(request).run(repository, _attempt(request, repository)), {}

    def jobs(self, request: Request) -> tuple[str, dict[str, str]]:
        repository = self._repository(request)
        run = _attempt(request, repository)
        page, size = _paging(request)
        jobs = run.jobs[(page - 1) * size : page * size]
        text = self._bodies(request).jobs(repository, run, jobs, len(run.jobs))
        return text, _links(request, page, size, len(run.jobs))

    def _bodies(self, request: Request) -> Bodies:
        return Bodies(self._world, _base(request))

    def _repository(self, request: Request) -> Repository:
        given = request.path_params
        if "id" in given:
            found = next((each for each in self._world.repositories.values() if each.id == given["id"]), None)
        elif given["owner"].casefold() == self._world.organization.casefold():
            found = github_types.named(self._world, given["repo"])
        else:
            found = None
        if found is None:
            raise Refusal(404, "Not Found")
        if "repo" in given and given["repo"].casefold() != found.name.casefold():
            tail = request.url.path.split(f"/{given['owner']}/{given['repo']}", 1)[1]
            query = f"?{request.url.query}" if request.url.query else ""
            raise Moved(f"{_base(request)}/repositories/{found.id}{tail}{query}")
        return found


def _base(request: Request) -> str:
    """The address of the API that the request came to."""
    return f"{request.url.scheme}://{request.url.netloc}{request.scope.get('root_path', '')}"


def _attempt(request: Request, repository: Repository) -> Run:
    """The attempt that the path names, or the run's last one."""
    attempts = {run.attempt: run for run in repository.runs if run.id == request.path_params["run"]}
    wanted = request.path_params.get("attempt", max(attempts, default=0))
    if wanted not in attempts:
        raise Refusal(404, "Not Found")
    return attempts[wanted]


def _paging(request: Request) -> tuple[int, int]:
    try:
        page = int(request.query_params.get("page", "1"))
        size = int(request.query_params.get("per_page", "30"))
    except ValueError:
        page, size = 1, 30
    return max(page, 1), min(max(size, 1), 100)


def _links(request: Request, page: int, size: int, total: int) -> dict[str, str]:
    """The `Link` header."""
    last = max(1, -(-total // size))
    pages = {"prev": page - 1, "next": page + 1, "last": last, "first": 1}
    if page <= 1:
        del pages["prev"], pages["first"]
    if page >= last:
        del pages["next"], pages["last"]
    if not pages:
        return {}
    address = request.url.replace(query="")
    others = [(name, value) for name, value in request.query_params.multi_items() if name != "page"]
    links = (
        f'<{address}?{urlencode([*others, ("page", number)])}>; rel="{relation}"'
        for relation, number in pages.items()
    )
    return {"link": ", ".join(links)}


def _window(created: str) -> tuple[datetime | None, datetime | None]:
    """From when to before when, in the syntax of GitHub's searches: `A..B`, `>=A`, `<B` or a day."""
    begin, separator, end = created.partition("..")
    if separator:
        return _moment(begin), _after(end)
    sign = created[: len(created) - len(created.lstrip("<>="))]
    text = created.removeprefix(sign)
    match sign:
        case ">=":
            return _moment(text), None
        case ">":
            return _after(text), None
        case "<=":
            return None, _after(text)
        case "<":
            return None, _moment(text)
    return _moment(text), _after(text)


def _moment(text: str) -> datetime | None:
    if text == "*":
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise Refusal(422, "Validation Failed") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _after(text: str) -> datetime | None:
    """The first moment that a day or second does not hold any more."""
    at = _moment(text)
    return at and at + (timedelta(seconds=1) if "T" in text else timedelta(days=1))
