"""PagerDuty's teams, the people in them, and services: each list is read whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from connectors.connector import Quarantined
from connectors.http import Client, OffsetPaging
from connectors.pagerduty.feed import items
from connectors.parsing import Malformed, parsed
from connectors.patterns import is_wanted
from connectors.records import Membership, Service, Team
from connectors.snapshot import Seen


def everything(client: Client, path: str, stream: str) -> list[Any]:
    """All that the list at `path`, whose items have its name as their key, holds; raises `HttpError`."""
    pages = client.pages(path, stream=stream, paging=OffsetPaging())
    return [item for answer in pages for item in items(answer.json(), path.strip("/"))]


def teams(raw: Sequence[Any], scope: str, patterns: Sequence[str]) -> Seen:
    """The teams whose names `patterns` want."""
    return _seen(
        "team", scope, raw, lambda item: [one] if is_wanted((one := _team(item)).name, patterns) else []
    )


def memberships(raw: Sequence[Any], scope: str, known: Sequence[Team], person: Callable[[str], str]) -> Seen:
    """Who is in the `known` teams, from the account's users: their address is what they sign in with."""
    return _seen(
        "membership", scope, raw, partial(_memberships, teams={team.id for team in known}, person=person)
    )


def services(raw: Sequence[Any], scope: str, is_taken: Callable[[str | None, Sequence[str]], bool]) -> Seen:
    """The services that `is_taken` takes, by the names of the service and of its teams."""
    return _seen(
        "service",
        scope,
        raw,
        lambda item: [_service(item)] if is_taken(item["name"], team_names(item)) else [],
    )


def team_names(item: Mapping[str, Any]) -> list[str]:
    """Names of the teams of a service or an incident."""
    names = (team.get("summary") or team.get("name") for team in item.get("teams") or [])
    return [name for name in names if isinstance(name, str)]


def _seen(stream: str, scope: str, raw: Sequence[Any], parse: Callable[[Any], list[Any]]) -> Seen:
    found, failed = parsed(raw, parse, stream, scope, lambda item: item["id"])
    return Seen(stream, [record for records in found for record in records], [*_once(failed)])


def _once(failed: Sequence[Quarantined]) -> list[Quarantined]:
    return [*dict.fromkeys(failed)]


def _team(item: Any) -> Team:
    parent = item.get("parent") or {}
    return Team(_text(item, "id"), _text(item, "name"), parent.get("id"), "team")


def _memberships(item: Any, teams: set[str], person: Callable[[str], str]) -> list[Membership]:
    ids = [team["id"] for team in item.get("teams") or []]
    taken = sorted(teams.intersection(ids))
    return [Membership(team, person(_text(item, "email")), None, None) for team in taken]


def _service(item: Any) -> Service:
    owners = item.get("teams") or []
    return Service(
        id=_text(item, "id"),
        name=_text(item, "name"),
        team=owners[0]["id"] if owners else None,
        system=None,
        kind="service",
        tier=None,
        # The other words for its status say whether it has an open incident now.
        lifecycle="disabled" if item.get("status") == "disabled" else None,
        repositories=(),
        paths=(),
        aliases=(),
    )


def _text(item: Any, field: str) -> str:
    value = item[field]
    if not isinstance(value, str) or not value.strip():
        raise Malformed(f"{field} is no text")
    return value
