"""An organisation's teams and who is in them now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import JsonValue

from connectors import snapshot
from connectors.connector import Contact, Context, Item
from connectors.github import queries as github_queries
from connectors.github.api import GitHub, connection
from connectors.http import HttpError
from connectors.parsing import parsed
from connectors.records import Membership, Team

SCOPE = "teams"
MEND = "Give a classic token the scope read:org; a fine-grained one, or an App, Members: read."
_TEAMS_AT_ONCE = 50


def read(github: GitHub, owner: str, cursor: JsonValue) -> Iterator[Item]:
    """Yield teams and memberships, each whole, where they are not as `cursor` knows; raises `HttpError`."""
    nodes = list(_nodes(github, owner))
    teams, failed = parsed(nodes, _team, "team", SCOPE, lambda node: node["databaseId"])
    listed, failed_members = parsed(
        nodes,
        lambda node: _memberships(node, github.context),
        "membership",
        SCOPE,
        lambda node: node["databaseId"],
    )
    yield from snapshot.changes(
        SCOPE,
        cursor,
        [
            snapshot.Seen("team", teams, failed),
            snapshot.Seen("membership", [each for some in listed for each in some], failed_members),
        ],
    )


def contacts(github: GitHub, owner: str) -> Iterator[Contact]:
    """How the organisation's members are reached; raises `HttpError`.

    By an address on one of its verified domains, else by the one that they show to everybody.
    """
    after: str | None = None
    while True:
        variables: dict[str, JsonValue] = {"owner": owner, "after": after}
        data, errors = github.graphql(github_queries.MEMBERS, variables, "membership")
        page = connection(data.get("organization"), "membersWithRole", errors)
        for node in filter(None, page.items):
            addresses = [*node["organizationVerifiedDomainEmails"], node["email"] or None]
            names = tuple(name for name in (node["name"], node["login"]) if name)
            yield Contact(github.context.person(node["login"]), addresses[0], names)
        if page.end is None:
            return
        after = _further(page.end, after)


def _nodes(github: GitHub, owner: str) -> Iterator[dict[str, Any]]:
    after: str | None = None
    while True:
        data, errors = github.graphql(
            github_queries.TEAMS, {"owner": owner, "first": _TEAMS_AT_ONCE, "after": after}, "team"
        )
        page = connection(data.get("organization"), "teams", errors)
        for node in page.items:
            if isinstance(node, dict):
                _complete(github, owner, node)
            yield node
        if page.end is None:
            return
        after = _further(page.end, after)


def _complete(github: GitHub, owner: str, node: dict[str, Any]) -> None:
    """Read on where the first page of members is not all; raises `HttpError`."""
    after = connection(node, "members").end
    while after is not None:
        variables: dict[str, JsonValue] = {"owner": owner, "slug": node["slug"], "after": after}
        data, errors = github.graphql(github_queries.TEAM_MEMBERS, variables, "membership")
        page = connection((data.get("organization") or {}).get("team"), "members", errors)
        node["members"]["nodes"] += page.items
        after = None if page.end is None else _further(page.end, after)


def _further(end: str, after: str | None) -> str:
    if end == after:
        raise HttpError("GitHub answers with the same page of teams again and again", "Sync again later.")
    return end


def _team(node: Mapping[str, Any]) -> Team:
    parent = node["parentTeam"]
    return Team(
        id=str(int(node["databaseId"])),
        name=str(node["name"]),
        parent=str(int(parent["databaseId"])) if parent else None,
        kind="team",
    )


def _memberships(node: Mapping[str, Any], context: Context) -> list[Membership]:
    team = str(int(node["databaseId"]))
    logins = {each["login"] for each in node["members"]["nodes"] if each}
    return [Membership(team, context.person(login), None, None) for login in sorted(logins)]
