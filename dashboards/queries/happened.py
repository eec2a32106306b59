"""What happened to a scope's services in a period: deployments, changes and all else, each once."""

from __future__ import annotations

import math
from datetime import date, timedelta
from typing import NamedTuple

import pandas as pd

from dashboards.queries.scope import Frames, Scope, covered_on, in_scope


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


def newest(
    source: Frames, sql: str, scope: Scope, since: date, until: date, limit: int | None, total: int
) -> pd.DataFrame:
    """A query of what `happened`, newest first, that ends with `$limit`; `total` says of how many things.

    It is asked of the last days first, in which so many are expected, then of more: the file reads less.
    """
    params = within(scope, since, until) | {"limit": limit}
    if limit and total > limit and (covered := covered_on(source)):
        end = min(until, covered + timedelta(days=1))
        # The last day may have hardly begun.
        days = math.ceil(1.5 * (end - since).days * limit / total) + 1
        for longer in (1, 8):
            start = max(since, end - timedelta(days=longer * days))
            rows = source.frame(sql, params | {"since": start})
            if len(rows) == limit:
                return rows
    return source.frame(sql, params)


def foremost(
    source: Frames, what: str, by: str, scope: Scope, since: date, until: date, limit: int | None
) -> tuple[str, dict[str, object]]:
    """`happened`, where there is such a column, without what is not among the `limit` greatest by it.

    More remain where some are equal. Comes with its parameters, `limit` among them. What is foremost is found
    by that column alone: the others are then read of hardly more rows than are wanted.
    """
    rows, params = happened(what, scope), within(scope, since, until) | {"limit": limit}
    if limit is None:
        return f"(from {rows} where {by} is not null)", params
    found = source.frame(
        f"select min({by}) as least from (select {by} from {rows} where {by} is not null"
        f" order by {by} desc limit $limit)",
        params,
    )
    return f"(from {rows} where {by} >= $least)", params | {"least": found.iloc[0]["least"]}


def within(scope: Scope, since: date, until: date) -> dict[str, object]:
    """The parameters of `happened`."""
    return {"since": since, "until": until, **scope.params}
