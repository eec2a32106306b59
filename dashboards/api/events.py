"""`POST /api/v1/events/…`: events of other tools, on disk before they are accepted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from pydantic import ValidationError
from pydantic_core import ErrorDetails, from_json
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors import webhooks
from connectors.connector import Context, Quarantined
from connectors.parsing import Malformed, parsed
from connectors.records import Deployment, Record
from dashboards import bodies
from dashboards.api import access
from dashboards.api.event_models import AdoptionEvent, DeploymentEvent, IncidentEvent
from dashboards.api.problems import Problem
from dashboards.rates import Rates
from pipelines import credentials, push
from pipelines.credentials import Credential, May
from pipelines.home import Home

MOST_BYTES = 1 << 20
MOST_EVENTS = 1000

MODELS: dict[str, type[DeploymentEvent | IncidentEvent | AdoptionEvent]] = {
    "deployments": DeploymentEvent,
    "incidents": IncidentEvent,
    "adoption": AdoptionEvent,
}
_SIGNATURES = ("x-hub-signature-256", "webhook-signature")
_GITHUB_EVENTS = {"deployment", "deployment_status"}
_GITLAB_EVENTS = {"Deployment Hook"}


class Told(NamedTuple):
    """What a request's body says."""

    accepted: int = 0
    """How many events it holds that are understood."""
    records: Sequence[Record] = ()
    failed: Sequence[Quarantined] = ()
    is_part: bool = False
    """It is one moment of a deployment, to be put together with others."""


def routes(rates: Rates) -> list[Route]:
    """A route for each kind of event; data and credentials are where `CAIRN_HOME` says."""

    def route(scope: str) -> Route:
        async def post(request: Request) -> Response:
            return await _post(scope, request, rates)

        return Route(f"/events/{scope}", post, methods=["POST"], name=scope)

    return [*map(route, MODELS)]


async def _post(scope: str, request: Request, rates: Rates) -> Response:
    home = Home.from_env()
    sender, body = await _authenticated(request, home)
    access.check_rate(request, sender, rates)
    access.check(sender, May.events)
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise Problem(415, "Events are sent as application/json")
    body = await _body(request) if body is None else body
    kept = await run_in_threadpool(_keep, home, scope, request.headers, body)
    return JSONResponse({"accepted": kept.accepted, "quarantined": len(kept.failed)}, status_code=202)


async def _authenticated(request: Request, home: Home) -> tuple[Credential | None, bytes | None]:
    """The credential, None for a wrong one; and the body where that had to be read for it."""
    token = access.bearer(request)
    if token is None and any(name in request.headers for name in _SIGNATURES):
        body = await _body(request)
        return await run_in_threadpool(credentials.by_signature, home, request.headers, body), body
    if token is None:
        token = request.headers.get("x-gitlab-token", "")
    return await run_in_threadpool(credentials.by_token, home, token), None


async def _body(request: Request) -> bytes:
    try:
        return await bodies.read(request, MOST_BYTES)
    except bodies.TooLarge:
        detail = f"A body has at most {MOST_BYTES} bytes: send the events in several requests"
        raise Problem(413, detail) from None
    except bodies.TooSlow:
        raise Problem(408, "The body did not come in time") from None
    except bodies.CutOff:
        raise Problem(400, "The body ends too early") from None


def _keep(home: Home, scope: str, headers: Mapping[str, str], body: bytes) -> Told:
    """Understand the events and put them on disk."""
    try:
        content = from_json(body, allow_inf_nan=False)
    except ValueError:
        raise Problem(400, "The body is no JSON") from None
    home.create()
    context = push.context(home)
    told = _told(scope, headers, content, context)
    if told.is_part:
        for record in told.records:
            assert isinstance(record, Deployment)
            push.accept_webhook(home, record)
    elif told.records or told.failed:
        push.accept(home, scope, told.records, told.failed)
    return told


def _told(scope: str, headers: Mapping[str, str], content: Any, context: Context) -> Told:
    github, gitlab = headers.get("x-github-event"), headers.get("x-gitlab-event")
    if github == "ping":
        return Told()
    if github is not None or gitlab is not None:
        known = _GITHUB_EVENTS if github is not None else _GITLAB_EVENTS
        if scope != "deployments" or (github or gitlab) not in known:
            wanted = " and ".join(sorted(known))
            raise Problem(422, f"Of this tool's webhooks /deployments takes {wanted}: choose no others")
        parse = webhooks.github_deployment if github is not None else webhooks.gitlab_deployment
        records, failed = parsed([content], lambda each: parse(each, context), "deployment", scope, str)
        if failed:
            raise Problem(422, f"This is no such webhook: {failed[0].reason}")
        news = [record for record in records if record]
        return Told(len(news), news, is_part=True)
    if scope == "incidents" and isinstance(content, dict) and "alerts" in content:
        return _alerts(content)
    events = _events(MODELS[scope], content)
    return Told(len(events), [record for event in events for record in event.records(context)])


def _alerts(content: dict[str, Any]) -> Told:
    from connectors.alertmanager.alerts import Rule, incidents

    # Which alerts are sent here is what Alertmanager's routes say: all of them are incidents.
    try:
        told = list(incidents(content, [Rule(match={})], "incidents"))
    except Malformed as error:
        raise Problem(422, f"The webhook {error}") from None
    known = [each for each in told if not isinstance(each, Quarantined)]
    return Told(len(known), known, [each for each in told if isinstance(each, Quarantined)])


def _events(
    model: type[DeploymentEvent | IncidentEvent | AdoptionEvent], content: Any
) -> list[DeploymentEvent | IncidentEvent | AdoptionEvent]:
    """The events of a body, one or a list; raises `Problem` with everything that is wrong with them."""
    items = content if isinstance(content, list) else [content]
    if len(items) > MOST_EVENTS:
        raise Problem(422, f"A request has at most {MOST_EVENTS} events: send them in several")
    events = []
    errors: list[dict[str, str]] = []
    for number, item in enumerate(items):
        try:
            events.append(model.model_validate(item))
        except ValidationError as error:
            place = f"/{number}" if isinstance(content, list) else ""
            errors += [_error(place, each) for each in error.errors(include_url=False, include_input=False)]
    if errors:
        raise Problem(422, "The events do not fit their description", errors=errors[:100])
    return events


_MENDS = {
    "extra_forbidden": "Remove it",
    "missing": "Add it",
    "string_too_long": "Shorten it",
    "string_too_short": "Give it, or leave the field out",
    "string_pattern_mismatch": "Give the whole hash: 40 or 64 hexadecimal digits",
}


def _error(place: str, error: ErrorDetails) -> dict[str, str]:
    steps = [str(step).replace("~", "~0").replace("/", "~1")[:100] for step in error["loc"]]
    context = error.get("ctx", {})
    return {
        "pointer": "#" + "/".join([place, *steps]),
        "detail": error["msg"],
        "mend": str(context.get("mend") or _MENDS.get(error["type"], "Correct it: see /api/v1/openapi.json")),
    }
