"""What is behind the figures: deployments, changes, faults and incidents, each once."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

import pandas as pd

from dashboards.queries.scope import SERVICES, Frames, Scope, in_scope


class _Thing(NamedTuple):
    """A mart of things that happen to services: its key, and the moment and day that date one."""

    key: str
    moment: str
    day: str


_THINGS = {
    "deployment": _Thing("deployment_id", "finished_at", "finished_on"),
    "change": _Thing("change_id", "deployed_at", "deployed_on"),
    "fault": _Thing("fault_id", "deployed_at", "deployed_on"),
    "incident": _Thing("incident_id", "opened_at", "opened_on"),
}

# Only what opens in a browser becomes a link: a repository may well be a path, and a field may hold anything.
_IS_LINK = r"regexp_matches({0}, '^https?://[^\s]+$')"
_LINK = f"case when {_IS_LINK.format('url')} then url end as url"


def deployments(
    source: Frames, scope: Scope, since: date, until: date, limit: int | None = None
) -> pd.DataFrame:
    """Deployments that finished in the period, newest first."""
    return source.frame(
        f"""
        select finished_at, service, ref, sha, environment, changes, is_baseline,
            {_LINK}, deployment_id
        from {_happened("deployment", scope)}
        order by finished_at desc, deployment_id
        limit $limit
        """,
        {"limit": limit, **_within(scope, since, until)},
    )


def changes(
    source: Frames,
    scope: Scope,
    since: date,
    until: date,
    limit: int | None = None,
    *,
    slowest_first: bool = False,
) -> pd.DataFrame:
    """Changes shipped in the period, newest first; `slowest_first` keeps those with a lead time alone."""
    return source.frame(
        f"""
        select lead_time_seconds, deployed_at, service, coalesce('#' || number, sha[:10]) as change,
            kind, first_authored_at, ref, left_out, {_LINK}, sha, change_id
        from {_happened("change", scope)}
        {"where lead_time_seconds is not null and left_out is null" if slowest_first else ""}
        order by {"lead_time_seconds desc," if slowest_first else ""} deployed_at desc, change_id
        limit $limit
        """,
        {"limit": limit, **_within(scope, since, until)},
    )


def faults(source: Frames, scope: Scope, since: date, until: date, limit: int | None = None) -> pd.DataFrame:
    """Faults of the deployments that finished in the period, newest first; `evidence` as words and links."""
    return source.frame(
        f"""
        select deployed_at, service, ref, rule, began_at, recovered_at, recovery_seconds,
            recovered_at is null as is_open,
            list_aggregate(list_transform(evidence, lambda e: e.kind), 'string_agg', ', ') as evidence,
            list_filter(list_transform(evidence, lambda e: e.url), lambda u: {_IS_LINK.format("u")})[1]
                as evidence_url,
            {_LINK}, fault_id, deployment_id
        from {_happened("fault", scope)}
        order by deployed_at desc, fault_id
        limit $limit
        """,
        {"limit": limit, **_within(scope, since, until)},
    )


def evidence(
    source: Frames, scope: Scope, since: date, until: date, limit: int | None = None
) -> pd.DataFrame:
    """What each of these faults is known by: a row for every incident, rollback, revert and hotfix."""
    return source.frame(
        f"""
        select e."at", e.kind, e.rule, service, ref,
            case when {_IS_LINK.format("e.url")} then e.url end as url, fault_id
        from {_happened("fault", scope)}, unnest(evidence) as t(e)
        order by deployed_at desc, fault_id, e."at"
        limit $limit
        """,
        {"limit": limit, **_within(scope, since, until)},
    )


def unattributed(
    source: Frames, scope: Scope, since: date, until: date, limit: int | None = None
) -> pd.DataFrame:
    """Incidents opened in the period that no rule blames a deployment for, newest first."""
    return source.frame(
        f"""
        select opened_at, service, severity, status, resolved_at, restore_seconds, {_LINK}, incident_id
        from {_happened("incident", scope)}
        where rule is null
        order by opened_at desc, incident_id
        limit $limit
        """,
        {"limit": limit, **_within(scope, since, until)},
    )


def lead_times(source: Frames, scope: Scope, since: date, until: date) -> pd.Series:
    """Seconds of every change that counts in lead time and shipped in the period, in no order."""
    return source.frame(
        f"""
        select lead_time_seconds
        from {_happened("change", scope)}
        where lead_time_seconds is not null and left_out is null
        """,
        _within(scope, since, until),
    )["lead_time_seconds"]


def percentiles(source: Frames, scope: Scope, since: date, until: date) -> pd.Series:
    """`median` and `p90` (type 7) of what `lead_times` returns, all services' changes taken together."""
    return source.frame(
        f"""
        select
            quantile_cont(lead_time_seconds, 0.5) as median,
            quantile_cont(lead_time_seconds, 0.9) as p90
        from {_happened("change", scope)}
        where lead_time_seconds is not null and left_out is null
        """,
        _within(scope, since, until),
    ).iloc[0]


def counts(source: Frames, scope: Scope, since: date, until: date) -> pd.Series:
    """How many there are; `open_faults` go on, `unattributed` incidents name no deployment."""
    return source.frame(
        f"""
        select
            (select count(*) from {_happened("deployment", scope)}) as deployments,
            (select count(*) from {_happened("change", scope)}) as changes,
            f.faults, f.open_faults, f.evidence, i.incidents, i.unattributed
        from (
            select count(*) as faults, count(*) filter (recovered_at is null) as open_faults,
                coalesce(sum(len(evidence)), 0)::bigint as evidence
            from {_happened("fault", scope)}
        ) as f
        cross join (
            select count(*) as incidents, count(*) filter (rule is null) as unattributed
            from {_happened("incident", scope)}
        ) as i
        """,
        _within(scope, since, until),
    ).iloc[0]


def left_out(source: Frames, scope: Scope, since: date, until: date) -> pd.DataFrame:
    """Changes shipped in the period that have no part in lead time: `reason, changes`, most first."""
    return source.frame(
        f"""
        select left_out as reason, count(*) as changes
        from {_happened("change", scope)}
        where left_out is not null
        group by all
        order by changes desc, reason
        """,
        _within(scope, since, until),
    )


def waiting(source: Frames, scope: Scope) -> int:
    """Commits that no deployment contains yet, merges too, whenever they were made."""
    sql = f"""
        select sum(commits_not_deployed) as n
        from marts.coverage
        where repository in (select unnest(repositories) {SERVICES[scope.level]})
    """
    found = source.frame(sql, scope.params).iloc[0]["n"]
    return 0 if pd.isna(found) else int(found)


def latest_deployment(source: Frames, scope: Scope) -> date | None:
    """Day of the scope's latest deployment; None where there is none."""
    sql = f"""
        select max(finished_on) as last_on
        from marts.deployment as thing
        where {in_scope(scope, "finished_at")}
    """
    last = source.frame(sql, scope.params).iloc[0]["last_on"]
    return None if pd.isna(last) else last.date()


def _happened(what: str, scope: Scope) -> str:
    """Rows of `marts.{what}` of the scope and period; one that several services share comes once."""
    key, moment, day = _THINGS[what]
    # An incident of no known service is the organisation's all the same.
    within = "true" if what == "incident" and scope.level == "organisation" else in_scope(scope, moment)
    return f"""(
        select * from marts.{what} as thing
        where {day} >= $since and {day} < $until and {within}
        qualify row_number() over (partition by {key} order by service) = 1
    )"""


def _within(scope: Scope, since: date, until: date) -> dict[str, object]:
    return {"since": since, "until": until, **scope.params}
