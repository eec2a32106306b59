"""PagerDuty's REST API over a world: paging by offset, its caps, its errors, its rate-limit headers."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from demo.world import ChangeEvent, Incident, LogEntry, PagerDutyService, Person, World

PUBLIC = "https://demo.pagerduty.example"
CAUSE = "cause"
"""Name of the custom field in which responders name the commit that caused an incident."""

_PER_MINUTE = 960
_LONGEST = 10_000
_LONGEST_RANGE = timedelta(days=184)

Json = dict[str, Any]


class _Fault(Exception):
    """What PagerDuty answers instead."""

    def __init__(self, status: int, code: int, message: str, *errors: str) -> None:
        self.status = status
        self.body = {"error": {"code": code, "message": message, **({"errors": [*errors]} if errors else {})}}


def app(world: World, token: str = "demo") -> Starlette:
    """The API of the account that `world` describes, for those who send `token`."""
    account = _Account(world)
    pages: dict[str, Callable[[Request], Any]] = {
        "/abilities": lambda _: {"abilities": ["teams", "urgencies", "read_only_users"]},
        "/incidents": account.incidents,
        "/incidents/{id}": account.incident,
        "/incidents/{id}/log_entries": account.log_of,
        "/incidents/{id}/alerts": account.alerts,
        "/incidents/{id}/custom_fields/values": account.custom_fields,
        "/log_entries": account.log,
        "/change_events": account.change_events,
        "/services": account.services,
        "/services/{id}": account.service,
        "/teams": account.teams,
        "/teams/{id}": account.team,
        "/teams/{id}/members": account.members,
        "/users": account.users,
        "/users/me": account.me,
    }
    accepted = {f"Token token={token}", f"Bearer {token}"}

    def endpoint(answer: Callable[[Request], Any]) -> Callable[[Request], Awaitable[Response]]:
        async def answered(request: Request) -> Response:
            headers = {
                "ratelimit-limit": str(_PER_MINUTE),
                "ratelimit-remaining": str(_PER_MINUTE - 1),
                "ratelimit-reset": "60",
            }
            try:
                if request.headers.get("authorization") not in accepted:
                    raise _Fault(401, 2006, "Unauthorized", "The token is not one of this account.")
                return JSONResponse(answer(request), headers=headers)
            except _Fault as fault:
                return JSONResponse(fault.body, fault.status, headers=headers)

        return answered

    async def unknown(_: Request, __: Exception) -> Response:
        return JSONResponse(_Fault(404, 2100, "Not Found").body, 404)

    return Starlette(
        routes=[Route(path, endpoint(page)) for path, page in pages.items()],
        exception_handlers={404: unknown},
    )


class _Account:
    def __init__(self, world: World) -> None:
        self._world = world

    def incidents(self, request: Request) -> Json:
        query = request.query_params
        found: Iterable[Incident] = self._world.incidents
        if query.get("date_range") != "all":
            since, until = _range(request, timedelta(days=31))
            if until - since > _LONGEST_RANGE:
                raise _invalid("The time range may not be longer than 6 months.")
            found = (each for each in found if since <= each.created_at < until)
        if services := set(query.getlist("service_ids[]")):
            found = (each for each in found if each.service_id in services)
        if statuses := set(query.getlist("statuses[]")):
            found = (each for each in found if each.status in statuses)
        if teams := set(query.getlist("team_ids[]")):
            owners = {service.id: service.team_id for service in self._world.pagerduty_services}
            found = (each for each in found if owners.get(each.service_id) in teams)
        order = query.get("sort_by", "incident_number").split(",")[0]
        by_number = order.startswith("incident_number")
        ordered = sorted(
            found,
            key=lambda one: one.number if by_number else one.created_at,
            reverse=order.endswith(":desc"),
        )
        names = self._names()
        return _page(request, "incidents", ordered, lambda one: self._incident(one, names))

    def incident(self, request: Request) -> Json:
        return {"incident": self._incident(self._known_incident(request), self._names())}

    def log_of(self, request: Request) -> Json:
        incident = self._known_incident(request)
        newest_first = [(incident, entry) for entry in reversed(incident.log)]
        return _page(request, "log_entries", newest_first, lambda pair: _log_entry(*pair))

    def log(self, request: Request) -> Json:
        since, until = _range(request, timedelta(days=31))
        found = [
            (incident, entry)
            for incident in self._world.incidents
            if incident.updated_at >= since and incident.created_at < until
            for entry in incident.log
            if since <= entry.at < until
        ]
        found.sort(key=lambda pair: pair[1].at, reverse=True)
        return _page(request, "log_entries", found, lambda pair: _log_entry(*pair))

    def alerts(self, request: Request) -> Json:
        incident = self._known_incident(request)
        return _page(request, "alerts", [incident], lambda one: self._alert(one, self._names()))

    def custom_fields(self, request: Request) -> Json:
        incident = self._known_incident(request)
        field = {
            "id": "PCAUSE1",
            "type": "field_value",
            "name": CAUSE,
            "display_name": "Cause",
            "description": "Commit that caused the incident",
            "data_type": "string",
            "field_type": "single_value",
            "value": incident.sha,
        }
        return {"custom_fields": [field]}

    def change_events(self, request: Request) -> Json:
        since, until = _range(request, timedelta(days=366))
        found = [each for each in self._world.change_events if since <= each.at < until]
        found.sort(key=lambda event: event.at, reverse=True)
        return _page(request, "change_events", found, _change_event)

    def services(self, request: Request) -> Json:
        wanted = set(request.query_params.getlist("team_ids[]"))
        found = [each for each in self._world.pagerduty_services if not wanted or each.team_id in wanted]
        names = self._names()
        return _page(
            request, "services", sorted(found, key=lambda one: one.name), lambda one: _service(one, names)
        )

    def service(self, request: Request) -> Json:
        for each in self._world.pagerduty_services:
            if each.id == request.path_params["id"]:
                return {"service": _service(each, self._names())}
        raise _Fault(404, 2100, "Not Found")

    def teams(self, request: Request) -> Json:
        names = self._names()
        return _page(
            request, "teams", sorted(names, key=names.__getitem__), lambda id_: _team(id_, names[id_])
        )

    def team(self, request: Request) -> Json:
        names, id_ = self._names(), request.path_params["id"]
        if id_ not in names:
            raise _Fault(404, 2100, "Not Found")
        return {"team": _team(id_, names[id_])}

    def members(self, request: Request) -> Json:
        names, id_ = self._names(), request.path_params["id"]
        if id_ not in names:
            raise _Fault(404, 2100, "Not Found")
        found = [person for person in self._people() if id_ in self._teams_of(person, names)]
        return _page(
            request, "members", found, lambda one: {"user": _user_reference(one), "role": "responder"}
        )

    def users(self, request: Request) -> Json:
        names = self._names()
        return _page(
            request, "users", self._people(), lambda one: _user(one, self._teams_of(one, names), names)
        )

    def me(self, _: Request) -> Json:
        raise _invalid("The requesting user could not be determined: the token is the account's.")

    def _people(self) -> list[Person]:
        return [person for person in self._world.people if not person.is_bot]

    def _names(self) -> dict[str, str]:
        """Id → name of the teams that own a service."""
        slugs = {team.slug: team.name for team in self._world.teams}
        ids = sorted({service.team_id for service in self._world.pagerduty_services})
        return {id_: slugs.get(id_, id_) for id_ in ids}

    def _teams_of(self, person: Person, names: dict[str, str]) -> list[str]:
        now = self._world.now
        return [
            each.team
            for each in self._world.memberships
            if each.login == person.login
            and each.team in names
            and each.since <= now
            and (each.until is None or now < each.until)
        ]

    def _known_incident(self, request: Request) -> Incident:
        wanted = request.path_params["id"]
        number = int(wanted) if wanted.isdecimal() else None
        for each in self._world.incidents:
            if each.id == wanted or each.number == number:
                return each
        raise _Fault(404, 2100, "Not Found")

    def _incident(self, incident: Incident, names: dict[str, str]) -> Json:
        service = next(
            (each for each in self._world.pagerduty_services if each.id == incident.service_id), None
        )
        name = service.name if service else "A service that was deleted"
        team = service.team_id if service else None
        changes = [each for each in incident.log if each.type in {"trigger", "acknowledge", "resolve"}]
        last = changes[-1] if changes else None
        holder = {"type": "priority_reference", "id": f"P{incident.priority}", "summary": incident.priority}
        return {
            **_self("incident", "incidents", incident.id, f"[#{incident.number}] {incident.title}"),
            "incident_number": incident.number,
            "title": incident.title,
            "created_at": _text(incident.created_at),
            "updated_at": _text(incident.updated_at),
            "status": incident.status,
            "incident_key": hashlib.md5(incident.id.encode(), usedforsecurity=False).hexdigest(),
            "service": _reference("service", "service-directory", incident.service_id, name),
            "assignments": [],
            "assigned_via": "escalation_policy",
            "last_status_change_at": _text(last.at if last else incident.created_at),
            "last_status_change_by": _agent(incident, last) if last else None,
            "alert_counts": {"all": 1, "triggered": int(incident.status != "resolved"), "resolved": 0},
            "teams": [_reference("team", "teams", team, names[team])] if team else [],
            "acknowledgements": [
                {"at": _text(entry.at), "acknowledger": _agent(incident, entry)}
                for entry in incident.log
                if entry.type == "acknowledge" and incident.status == "acknowledged"
            ],
            "urgency": incident.urgency,
            **({"priority": holder} if incident.priority else {}),
            **({"resolved_at": _text(last.at)} if last and incident.status == "resolved" else {}),
        }

    def _alert(self, incident: Incident, names: dict[str, str]) -> Json:
        holder = self._incident(incident, names)
        return {
            "id": f"{incident.id}A",
            "type": "alert",
            "summary": incident.title,
            "self": f"https://api.pagerduty.com/incidents/{incident.id}/alerts/{incident.id}A",
            "html_url": f"{PUBLIC}/alerts/{incident.id}A",
            "created_at": holder["created_at"],
            "status": "resolved" if incident.status == "resolved" else "triggered",
            "alert_key": holder["incident_key"],
            "service": holder["service"],
            "body": {"type": "alert_body", "contexts": [], "details": {}},
            "incident": {"id": incident.id, "type": "incident_reference"},
            "suppressed": False,
            "severity": "critical" if incident.urgency == "high" else "warning",
        }


def _service(service: PagerDutyService, names: dict[str, str]) -> Json:
    return {
        **_self("service", "services", service.id, service.name, "service-directory"),
        "name": service.name,
        "description": "",
        "created_at": _text(service.created_at),
        "status": "active",
        "teams": [_reference("team", "teams", service.team_id, names[service.team_id])],
        "integrations": [],
        "escalation_policy": _reference(
            "escalation_policy", "escalation_policies", f"{service.id}E", "Default"
        ),
    }


def _team(id_: str, name: str) -> Json:
    return {**_self("team", "teams", id_, name), "name": name, "description": "", "default_role": "manager"}


def _user(person: Person, teams: Sequence[str], names: dict[str, str]) -> Json:
    return {
        **_self("user", "users", _user_id(person), person.name),
        "name": person.name,
        "email": person.email,
        "time_zone": "Europe/Berlin",
        "color": "green",
        "role": "user",
        "avatar_url": f"https://avatars.demo.example/{_user_id(person)}",
        "description": None,
        "invitation_sent": False,
        "teams": [_reference("team", "teams", id_, names[id_]) for id_ in teams],
        "contact_methods": [],
        "notification_rules": [],
    }


def _change_event(event: ChangeEvent) -> Json:
    return {
        "id": event.id,
        "type": "change_event",
        "summary": event.summary,
        "timestamp": _text(event.at),
        "source": "deploy",
        "services": [{"id": event.service_id, "type": "service_reference"}],
        "integration": {"id": "PDEPLOY", "type": "inbound_integration_reference"},
        "custom_details": {"sha": event.sha},
        "links": [{"href": event.url, "text": "The deployment"}],
    }


def _log_entry(incident: Incident, entry: LogEntry) -> Json:
    kind = f"{entry.type}_log_entry"
    return {
        **_self(kind, "log_entries", entry.id, entry.type, f"incidents/{incident.id}/log_entries"),
        "created_at": _text(entry.at),
        "agent": _agent(incident, entry),
        "channel": {"type": "website" if entry.person else "auto"},
        "service": {"id": incident.service_id, "type": "service_reference"},
        "incident": _reference(
            "incident", "incidents", incident.id, f"[#{incident.number}] {incident.title}"
        ),
        "teams": [],
        "contexts": [],
        "event_details": {},
    }


def _agent(incident: Incident, entry: LogEntry) -> Json:
    if entry.person:
        return _user_reference(entry.person)
    return _reference("service", "service-directory", incident.service_id, "The service")


def _user_reference(person: Person) -> Json:
    return _reference("user", "users", _user_id(person), person.name)


def _user_id(person: Person) -> str:
    return "P" + hashlib.sha256(person.login.encode()).hexdigest()[:6].upper()


def _reference(kind: str, folder: str, id_: str, summary: str) -> Json:
    return _self(f"{kind}_reference", folder, id_, summary)


def _self(kind: str, folder: str, id_: str, summary: str, page: str | None = None) -> Json:
    api = folder.replace("service-directory", "services")
    return {
        "id": id_,
        "type": kind,
        "summary": summary,
        "self": f"https://api.pagerduty.com/{api}/{id_}",
        "html_url": f"{PUBLIC}/{page or folder}/{id_}",
    }


def _page(request: Request, key: str, found: Sequence[Any], make: Callable[[Any], Json]) -> Json:
    limit, offset = _number(request, "limit", 25), _number(request, "offset", 0)
    if not 1 <= limit <= 100:
        raise _invalid("Limit must be between 1 and 100.")
    if limit + offset > _LONGEST:
        raise _invalid(f"Offset and limit together may not be more than {_LONGEST}.")
    here = found[offset : offset + limit]
    total = len(found) if request.query_params.get("total") == "true" else None
    return {
        key: [make(each) for each in here],
        "limit": limit,
        "offset": offset,
        "total": total,
        "more": offset + limit < len(found),
    }


def _number(request: Request, name: str, default: int) -> int:
    try:
        return int(request.query_params.get(name, default))
    except ValueError:
        raise _invalid(f"{name.capitalize()} must be a number.") from None


def _range(request: Request, default: timedelta) -> tuple[datetime, datetime]:
    until = _time(request, "until") or datetime.now(UTC) + timedelta(days=1)
    return _time(request, "since") or until - default, until


def _time(request: Request, name: str) -> datetime | None:
    said = request.query_params.get(name)
    try:
        at = datetime.fromisoformat(said) if said else None
    except ValueError:
        raise _invalid(f"{name.capitalize()} is no date.") from None
    return at if at is None or at.tzinfo else at.replace(tzinfo=UTC)


def _invalid(error: str) -> _Fault:
    return _Fault(400, 2001, "Invalid Input Provided", error)


def _text(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
