"""What happened to a scope's services in a period: deployments, changes and all else, each once."""

from __future__ import annotations

import math
from datetime import date, timedelta
from typing import NamedTuple

from dashboards.queries.scope import Frames, Scope, in_scope


class _Thing(NamedTuple):
    """A mart of things that happen to services: the moment and day that date one."""

    moment: str
    day: str
    is_shared: bool = False
    """What is of several services has a row for each of them, with a `shared_rank` and `repeats_for`."""


_THINGS = {
    "deployment": _Thing("finished_at", "finished_on", True),
    "change": _Thing("deployed_at", "deployed_on", True),
    "fault": _Thing("deployed_at", "deployed_on"),
    "incident": _Thing("opened_at", "opened_on"),
    "pull_request": _Thing("merged_at", "merged_on", True),
}

# Only what opens in a browser becomes a link: a repository may well be a path, and a field may hold anything.
IS_LINK = r"regexp_matches({0}, '^https?://[^\s]+$')"
LINK = f"case when {IS_LINK.format('url')} then url end as url"


def happened(what: str, scope: Scope) -> str:
    """Rows of `marts.{what}` of the scope and period; one that several services share comes once."""
    moment, day, is_shared = _THINGS[what]
    # An incident of no known service is the organisation's all the same.
    is_any = what == "incident" and scope.level == "organisation"
    once = {
        "organisation": "coalesce(shared_rank, 1) = 1",
        "team": "(repeats_for is null or not list_contains(repeats_for, $key))",
        "service": "true",
    }
    return f"""(
        select thing.*
        from marts.{what} as thing {"where true" if is_any else in_scope(scope, moment, "subject_key")}
            and {day} >= $since and {day} < $until and {once[scope.level] if is_shared else "true"}
    )"""


def foremost(
    source: Frames,
    what: str,
    scope: Scope,
    since: date,
    until: date,
    limit: int | None,
    *,
    total: int | None = None,
    by: str | None = None,
) -> tuple[str, dict[str, object]]:
    """`happened` without what is not among the `limit` greatest `by` a column, or else the newest.

    More remain where some are equal. Comes with its parameters, `limit` among them. What is foremost is found
    by that column alone: the others are then read of hardly more rows than are wanted. Where it is known how
    many there are in all, the `total`, the newest are looked for at the end first.
    """
    column = by or _THINGS[what].moment
    rows, params = happened(what, scope), within(scope, since, until) | {"limit": limit}
    if limit is None or (total is not None and total <= limit):
        return f"(from {rows} where {column} is not null)", params
    sql = f"""
        select min({column}) as least, count(*) as found
        from (select {column} from {rows} where {column} is not null order by {column} desc limit $limit)
    """
    starts = [since]
    if total is not None and by is None:
        days = math.ceil(2 * (until - since).days * limit / total)
        starts.insert(0, max(since, until - timedelta(days=days)))
    for start in starts:
        found = source.frame(sql, params | {"since": start}).iloc[0]
        if found["found"] == limit:
            break
    return f"(from {rows} where {column} >= $least)", params | {"least": found["least"]}


def within(scope: Scope, since: date, until: date) -> dict[str, object]:
    """The parameters of `happened`."""
    return {"since": since, "until": until, **scope.params}
