"""Backstage's catalogue and scaffolder over a world: filters, fields, cursors, errors."""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from demo.servers.backstage_entities import entities
from demo.world import Task, World

_CATALOG = "/api/catalog"
_SCAFFOLDER = "/api/scaffolder"
_LIMIT = 20
_TASK_PARAMETERS = {"createdBy", "status", "limit", "offset", "order"}

Json = dict[str, Any]


class _Fault(Exception):
    """What Backstage answers instead."""

    def __init__(self, status: int, name: str, message: str) -> None:
        self.status = status
        self.error = {"name": name, "message": message}

    def answer(self, request: Request) -> Response:
        path = request.url.path
        for plugin in (_CATALOG, _SCAFFOLDER):
            path = path.removeprefix(plugin)
        asked = {
            "method": request.method,
            "url": path + (f"?{request.url.query}" if request.url.query else ""),
        }
        body = {"error": self.error, "request": asked, "response": {"statusCode": self.status}}
        return JSONResponse(body, self.status)


def app(world: World, token: str | None = "demo") -> Starlette:
    """The backend that `world` describes, for those who send `token`; for all where it is None."""
    catalog, scaffolder = _Catalog(world), _Scaffolder(world)
    pages: dict[str, Callable[[Request], Any]] = {
        f"{_CATALOG}/entities": catalog.listed,
        f"{_CATALOG}/entities/by-query": catalog.queried,
        f"{_CATALOG}/entities/by-name/{{kind}}/{{namespace}}/{{name}}": catalog.named,
        f"{_CATALOG}/entity-facets": catalog.facets,
        f"{_SCAFFOLDER}/v2/tasks": scaffolder.tasks,
        f"{_SCAFFOLDER}/v2/tasks/{{id}}": scaffolder.task,
        f"{_SCAFFOLDER}/v2/tasks/{{id}}/events": scaffolder.events,
    }

    def endpoint(answer: Callable[[Request], Any]) -> Callable[[Request], Awaitable[Response]]:
        async def answered(request: Request) -> Response:
            said = request.headers.get("authorization")
            try:
                if token is not None and said != f"Bearer {token}":
                    raise _Fault(
                        401, "AuthenticationError", "Illegal token" if said else "Missing credentials"
                    )
                return JSONResponse(answer(request))
            except _Fault as fault:
                return fault.answer(request)

        return answered

    async def unknown(request: Request, _: Exception) -> Response:
        return _Fault(404, "NotFoundError", f"Unknown API path {request.url.path}").answer(request)

    return Starlette(
        routes=[Route(path, endpoint(page)) for path, page in pages.items()],
        exception_handlers={404: unknown},
    )


class _Catalog:
    def __init__(self, world: World) -> None:
        self._world = world

    def listed(self, request: Request) -> list[Json]:
        return [_picked(each, _fields(request)) for each in self._filtered(_sets(request))]

    def queried(self, request: Request) -> Json:
        query = request.query_params
        limit = _number(query.get("limit"), "limit", _LIMIT)
        cursor = _read_cursor(query["cursor"]) if "cursor" in query else None
        sets = cursor["filter"] if cursor else _sets(request)
        orders = (
            cursor["orderFields"] if cursor else [each.split(",") for each in query.getlist("orderField")]
        )
        found = self._filtered(sets)
        for field, *direction in reversed(orders):
            found = _ordered(found, field, is_reversed=direction == ["desc"])
        begin = int(cursor["offset"]) if cursor else _number(query.get("offset"), "offset", 0)
        page: Json = {}
        state = {"orderFields": orders, "filter": sets, "totalItems": len(found)}
        if begin + limit < len(found):
            page["nextCursor"] = _written_cursor({**state, "isPrevious": False, "offset": begin + limit})
        if begin > 0:
            page["prevCursor"] = _written_cursor(
                {**state, "isPrevious": True, "offset": max(begin - limit, 0)}
            )
        items = [_picked(each, _fields(request)) for each in found[begin : begin + limit]]
        return {"items": items, "totalItems": len(found), "pageInfo": page}

    def named(self, request: Request) -> Json:
        kind, namespace, name = (request.path_params[each].lower() for each in ("kind", "namespace", "name"))
        for each in entities(self._world, kind):
            if (each["metadata"]["namespace"], each["metadata"]["name"].lower()) == (namespace, name):
                return each
        raise _Fault(
            404,
            "NotFoundError",
            f"No entity named '{name}' found, with kind '{kind}' in namespace '{namespace}'",
        )

    def facets(self, request: Request) -> Json:
        wanted = request.query_params.getlist("facet")
        if not wanted:
            raise _Fault(400, "InputError", "Missing facet parameter")
        found = self._filtered(_sets(request))
        counts = {facet: Counter(str(v) for each in found for v in _values(each, facet)) for facet in wanted}
        facets = {
            facet: [{"value": value, "count": count} for value, count in sorted(counted.items())]
            for facet, counted in counts.items()
        }
        return {"facets": facets}

    def _filtered(self, sets: Sequence[Sequence[str]]) -> list[Json]:
        """By uid, as Backstage has them unless told otherwise."""
        kinds = {
            each.split("=")[1].lower() for one in sets for each in one if each.lower().startswith("kind=")
        }
        only = next(iter(kinds)) if len(kinds) == 1 else None
        found = [
            each
            for each in entities(self._world, only)
            if not sets or any(all(_holds(each, condition) for condition in one) for one in sets)
        ]
        return sorted(found, key=lambda each: str(each["metadata"]["uid"]))


class _Scaffolder:
    def __init__(self, world: World) -> None:
        self._world = world

    def tasks(self, request: Request) -> Json:
        query = request.query_params
        if unknown := sorted(query.keys() - _TASK_PARAMETERS):
            raise _Fault(400, "InputError", f"Unknown query parameter '{unknown[0]}'")
        makers, statuses = query.getlist("createdBy"), query.getlist("status")
        found = [
            task
            for task in self._world.tasks
            if (not makers or f"user:default/{task.created_by}" in makers)
            and (not statuses or task.status in statuses)
        ]
        order = query.get("order", "desc:created_at")
        if order not in {"asc:created_at", "desc:created_at"}:
            raise _Fault(400, "InputError", f'Invalid order parameter "{order}"')
        found.sort(key=lambda task: task.created_at, reverse=order.startswith("desc"))
        offset = _number(query.get("offset"), "offset", 0)
        limit = _number(query.get("limit"), "limit", len(found))
        return {
            "tasks": [self._task(each) for each in found[offset : offset + limit]],
            "totalTasks": len(found),
        }

    def task(self, request: Request) -> Json:
        return self._task(self._known(request))

    def events(self, request: Request) -> list[Json]:
        task = self._known(request)
        after = _number(request.query_params.get("after"), "after", 0)
        number = 1 + 10 * next(i for i, each in enumerate(self._world.tasks) if each.id == task.id)
        lines: list[tuple[str, Json, datetime]] = [
            ("log", {"message": "Starting up task with 2 steps"}, task.created_at),
            ("log", _step("Fetch", "processing"), task.created_at),
        ]
        if task.finished_at:
            lines += [
                ("log", _step("Fetch", task.status), task.finished_at),
                ("completion", _completion(task), task.finished_at),
            ]
        events = [
            {
                "id": number + place,
                "isTaskRecoverable": False,
                "taskId": task.id,
                "body": body,
                "type": kind,
                "createdAt": _text(at),
            }
            for place, (kind, body, at) in enumerate(lines)
        ]
        return [event for event in events if int(event["id"]) > after]  # type: ignore[call-overload]

    def _known(self, request: Request) -> Task:
        wanted = request.path_params["id"]
        for each in self._world.tasks:
            if each.id == wanted:
                return each
        raise _Fault(404, "NotFoundError", f"No task with id '{wanted}' found")

    def _task(self, task: Task) -> Json:
        maker = next((each for each in entities(self._world, "user", task.created_by)), None)
        last = task.finished_at or min(self._world.now, task.created_at + timedelta(minutes=1))
        return {
            "id": task.id,
            "spec": {
                "apiVersion": "scaffolder.backstage.io/v1beta3",
                "steps": [{"id": "fetch", "name": "Fetch", "action": "fetch:template", "input": {}}],
                "output": {
                    "links": [{"title": "Open", "entityRef": "${{ steps.register.output.entityRef }}"}]
                },
                "parameters": {"name": task.component or "unnamed", "owner": task.created_by},
                **({"user": {"entity": maker, "ref": f"user:default/{task.created_by}"}} if maker else {}),
                "templateInfo": {
                    "entityRef": f"template:default/{task.template}",
                    "baseUrl": "file:///srv/backstage/catalog/templates.yaml",
                    "entity": {"metadata": {"namespace": "default", "name": task.template}},
                },
            },
            "status": task.status,
            "createdAt": _text(task.created_at),
            "lastHeartbeatAt": _text(last),
            "createdBy": f"user:default/{task.created_by}",
        }


def _step(name: str, status: str) -> Json:
    verb = "Beginning" if status == "processing" else "Finished"
    return {"message": f"{verb} step {name}", "stepId": name.lower(), "status": status}


def _completion(task: Task) -> Json:
    body: Json = {"message": f"Run completed with status: {task.status}"}
    if task.status == "completed":
        made = {"title": "Open", "entityRef": f"component:default/{task.component}"}
        body["output"] = {"links": [made] if task.component else []}
    elif task.status == "failed":
        body["error"] = {"name": "Error", "message": "The repository exists already"}
    return body


def _sets(request: Request) -> list[list[str]]:
    return [each.split(",") for each in request.query_params.getlist("filter") if each]


def _fields(request: Request) -> list[str]:
    return [field for each in request.query_params.getlist("fields") for field in each.split(",") if field]


def _holds(entity: Json, condition: str) -> bool:
    key, is_compared, value = condition.partition("=")
    found = _values(entity, key)
    return any(str(each).lower() == value.lower() for each in found) if is_compared else bool(found)


def _ordered(found: list[Json], field: str, *, is_reversed: bool) -> list[Json]:
    """As the real one does it: those that lack the field are left out."""
    having = [each for each in found if _values(each, field)]
    return sorted(having, key=lambda each: str(_values(each, field)[0]), reverse=is_reversed)


def _values(entity: Json, path: str) -> list[Any]:
    """The plain values at a path; of relations the targets."""
    if path.lower().startswith("relations."):
        kind = path.partition(".")[2].lower()
        return [each["targetRef"] for each in entity["relations"] if each["type"].lower() == kind]
    _, value = _found(entity, path)
    return [] if value is None or isinstance(value, dict) else value if isinstance(value, list) else [value]


def _found(entity: Mapping[str, Any], path: str) -> tuple[list[str], Any]:
    """Keys down to a path, and what is there; keys may hold dots themselves."""
    keys: list[str] = []
    here: Any = entity
    pending = ""
    for part in path.split("."):
        pending = f"{pending}.{part}" if pending else part
        if isinstance(here, dict) and pending in here:
            keys.append(pending)
            here, pending = here[pending], ""
    return (keys, here) if not pending else (keys, None)


def _picked(entity: Json, fields: Iterable[str]) -> Json:
    """The entity with these fields alone; whole where there are none."""
    picked: Json = {}
    has_fields = False
    for field in fields:
        has_fields = True
        keys, value = _found(entity, field)
        if value is not None:
            here = picked
            for key in keys[:-1]:
                here = here.setdefault(key, {})
            here[keys[-1]] = value
    return picked if has_fields else entity


def _written_cursor(state: Json) -> str:
    return base64.b64encode(json.dumps(state).encode()).decode()


def _read_cursor(text: str) -> Json:
    try:
        state = json.loads(base64.b64decode(text, validate=True))
        return {"filter": state["filter"], "orderFields": state["orderFields"], "offset": state["offset"]}
    except (ValueError, KeyError, TypeError):
        raise _Fault(400, "InputError", "Malformed cursor, could not be parsed") from None


def _number(text: str | None, name: str, default: int) -> int:
    if text is None:
        return default
    if not text.isdecimal():
        raise _Fault(400, "InputError", f"request/query/{name} must be integer")
    return int(text)


def _text(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.000Z")
