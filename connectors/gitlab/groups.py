"""GitLab's groups as teams, and who is in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, time
from functools import partial
from typing import Any
from urllib.parse import quote

from pydantic import JsonValue

from connectors import snapshot
from connectors.connector import Context, Item, Note, Quarantined
from connectors.gitlab.api import GitLab, is_bot, login
from connectors.http import Forbidden, NotFound
from connectors.parsing import instant, parsed
from connectors.records import Membership, Team

SCOPE = "teams"


def read(gitlab: GitLab, group: str | None, cursor: JsonValue) -> Iterator[Item]:
    """Yield groups and memberships, each whole, where they are not as `cursor` knows; raises `HttpError`.

    Of the account's groups where no `group` is named.
    """
    groups = list(_groups(gitlab, group))
    teams, failed = parsed(groups, _team, "team", SCOPE, lambda item: item["id"])
    listed = {team.id for team in teams}
    teams = [team if team.parent in listed else team._replace(parent=None) for team in teams]
    members: list[Membership] = []
    failed_members: list[Quarantined] = []
    for team in teams:
        try:
            items = gitlab.listed(f"/groups/{team.id}/members", "membership")
        except (Forbidden, NotFound) as error:
            yield Note(SCOPE, f"the members of group {team.id} are not read: {error}")
            continue
        some, wrong = parsed(
            [item for item in items if not _is_no_person(item)],
            partial(_membership, gitlab.context, team.id),
            "membership",
            SCOPE,
            lambda item: item["id"],
        )
        members += some
        failed_members += wrong
    seen = [snapshot.Seen("team", teams, failed), snapshot.Seen("membership", members, failed_members)]
    yield from snapshot.changes(SCOPE, cursor, seen)


def _groups(gitlab: GitLab, group: str | None) -> Iterator[Any]:
    if group is None:
        yield from gitlab.listed(
            "/groups", "team", {"all_available": "false", "order_by": "name", "sort": "asc"}
        )
        return
    path = f"/groups/{quote(group, safe='')}"
    yield gitlab.get(path, "team", {"with_projects": "false"})
    yield from gitlab.listed(f"{path}/descendant_groups", "team", {"order_by": "name", "sort": "asc"})


def _is_no_person(item: Any) -> bool:
    try:
        return is_bot(item) or login(item) is None or item.get("membership_state") == "awaiting"
    except (AttributeError, KeyError, TypeError):
        return False


def _team(item: Mapping[str, Any]) -> Team:
    parent = item["parent_id"]
    return Team(
        id=str(int(item["id"])),
        name=str(item["full_path"]),
        parent=None if parent is None else str(int(parent)),
        kind="group",
    )


def _membership(context: Context, team: str, item: Mapping[str, Any]) -> Membership:
    ends = item.get("expires_at")
    return Membership(
        team=team,
        person=context.person(str(item["username"])),
        valid_from=instant(item.get("created_at")),
        # A day, from whose beginning on the access is gone.
        valid_to=datetime.combine(datetime.fromisoformat(ends).date(), time(), UTC) if ends else None,
    )
