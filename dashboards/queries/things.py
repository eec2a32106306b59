"""What is behind the figures: deployments, changes, faults and incidents, each once."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

import numpy as np
import pandas as pd

from dashboards.queries.scope import SERVICES, Frames, Scope, in_scope


class _Thing(NamedTuple):
    """A mart of things that happen to services: the moment and day that date one."""

    moment: str
    day: str
    shared_key: str | None = None
    """Its key, where one of several services has a row, with a `shared_rank`, for each of them."""


_THINGS = {
    "deployment": _Thing("finished_at", "finished_on", "deployment_id"),
    "change": _Thing("deployed_at", "deployed_on", "change_id"),
    "fault": _Thing("deployed_at", "deployed_on"),
    "incident": _Thing("opened_at", "opened_on"),
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
        from marts.deployment as thing
        where {_first("deployment", scope, "finished_at desc")}
        order by finished_at desc, deployment_id
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
    order = "lead_time_seconds desc, deployed_at desc" if slowest_first else "deployed_at desc"
    where = "lead_time_seconds is not null" if slowest_first else "true"
    return source.frame(
        f"""
        select lead_time_seconds, deployed_at, service, coalesce('#' || number, sha[:10]) as change,
            kind, first_authored_at, ref, left_out, {_LINK}, sha, change_id
        from marts.change as thing
        where {_first("change", scope, order, where)}
        order by {order}, change_id
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
    """Lead times of the changes shipped in the period, all services' taken together.

    How many `changes` count, and in seconds their `shortest`, `median`, `p90` (type 7) and `longest`;
    `left_out` maps the reasons why others do not to how many these are.
    """
    return source.frame(
        f"""
        select
            count(lead_time_seconds) as changes, min(lead_time_seconds) as shortest,
            quantile_cont(lead_time_seconds, 0.5) as median, quantile_cont(lead_time_seconds, 0.9) as p90,
            max(lead_time_seconds) as longest, coalesce(histogram(left_out), map {{}}) as left_out
        from {_happened("change", scope)}
        """,
        _within(scope, since, until),
    ).iloc[0]


def distribution(source: Frames, scope: Scope, since: date, until: date) -> pd.DataFrame:
    """How many `changes` took from `low` to `high` seconds: bins of equal width on a logarithmic scale."""
    known = lead_times(source, scope, since, until)
    bins = int(np.clip(np.sqrt(known["changes"]), 8, 40))
    low, high = np.log(max(known["shortest"], 1)) - 1e-3, np.log(max(known["longest"], 1)) + 1e-3
    rows = source.frame(
        f"""
        select floor((ln(greatest(lead_time_seconds, 1)) - $low) / $width)::bigint as bin, count(*) as changes
        from {_happened("change", scope)}
        where lead_time_seconds is not null
        group by bin
        """,
        {"low": low, "width": (high - low) / bins, **_within(scope, since, until)},
    )
    edges = np.exp(np.linspace(low, high, bins + 1))
    changes = rows.set_index("bin")["changes"].reindex(range(bins), fill_value=0).to_numpy()
    return pd.DataFrame({"low": edges[:-1], "high": edges[1:], "changes": changes})


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
    sql = """
        select max(period_start) as last_on
        from marts.deployments
        where level = $level and key = $key and grain = 'day' and value > 0
    """
    last = source.frame(sql, {"level": scope.level, "key": scope.key}).iloc[0]["last_on"]
    return None if pd.isna(last) else last.date()


def _happened(what: str, scope: Scope) -> str:
    """Rows of `marts.{what}` of the scope and period; one that several services share comes once.

    Their `place` orders what happened at the same moment, and finds a row again.
    """
    moment, day, shared_key = _THINGS[what]
    # An incident of no known service is the organisation's all the same.
    is_any = what == "incident" and scope.level == "organisation"
    rows = f"""
        select thing.rowid as place, thing.*
        from marts.{what} as thing {"where true" if is_any else in_scope(scope, moment)}
            and {day} >= $since and {day} < $until
    """
    if shared_key is None or scope.level == "service":
        return f"({rows})"
    if scope.level == "organisation":
        return f"({rows} and coalesce(shared_rank, 1) = 1)"
    # Hardly any are shared: only these are worth the sorting.
    return f"""(
        {rows} and shared_rank is null
        union all
        ({rows} and shared_rank is not null
        qualify row_number() over (partition by {shared_key} order by shared_rank) = 1)
    )"""


def _first(what: str, scope: Scope, order: str, where: str = "true") -> str:
    """Condition on rows called `thing`: they are among the first `$limit` of the scope and period.

    Found by what orders them alone; the other columns are then read of these few.
    """
    return f"""thing.rowid in (
        select place from {_happened(what, scope)} where {where} order by {order}, place limit $limit
    )"""


def _within(scope: Scope, since: date, until: date) -> dict[str, object]:
    return {"since": since, "until": until, **scope.params}
