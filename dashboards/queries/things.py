"""What is behind the figures: deployments, changes, faults and incidents, each once."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from dashboards.queries.happened import IS_LINK, LINK, happened, newest, within
from dashboards.queries.scope import SERVICES, STORED_BY, Frames, Scope

STEPS = 100
"""Of lead time, for each unit of the logarithm of its seconds: `lead_time_step` of `marts.change`."""
LEFT_OUT = ("baseline", "bot", "undated", "negative")
"""Why a change has no lead time, by its step: -1, -2 and so on."""


def deployments(
    source: Frames, scope: Scope, since: date, until: date, limit: int | None = None
) -> pd.DataFrame:
    """Deployments that finished in the period, newest first."""
    sql = f"""
        select finished_at, service, ref, sha, environment, changes, is_baseline, {LINK}, deployment_id
        from {happened("deployment", scope)}
        order by finished_at desc, deployment_id
        limit $limit
    """
    total = counts(source, scope, since, until)["deployments"] if limit else 0
    return newest(source, sql, scope, since, until, limit, total)


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
    where, order = "true", "deployed_at desc"
    if slowest_first:
        where, order = "lead_time_step >= $least", "lead_time_seconds desc, deployed_at desc"
    sql = f"""
        select lead_time_seconds, deployed_at, service, coalesce('#' || number, sha[:10]) as change,
            kind, first_authored_at, ref, left_out, {LINK}, sha, change_id
        from {happened("change", scope)}
        where {where}
        order by {order}, change_id
        limit $limit
    """
    # Of all of them, nobody need know how many there are.
    steps = _steps(source, scope, since, until) if limit else pd.DataFrame({"step": [], "changes": []})
    if slowest_first:
        params = within(scope, since, until) | {"limit": limit, "least": _least(steps, limit)}
        return source.frame(sql, params)
    return newest(source, sql, scope, since, until, limit, int(steps["changes"].sum()))


def faults(source: Frames, scope: Scope, since: date, until: date, limit: int | None = None) -> pd.DataFrame:
    """Faults of the deployments that finished in the period, newest first; `evidence` as words and links."""
    sql = f"""
        select deployed_at, service, ref, rule, began_at, recovered_at, recovery_seconds,
            recovered_at is null as is_open,
            list_aggregate(list_transform(evidence, lambda e: e.kind), 'string_agg', ', ') as evidence,
            list_filter(list_transform(evidence, lambda e: e.url), lambda u: {IS_LINK.format("u")})[1]
                as evidence_url,
            {LINK}, fault_id, deployment_id
        from {happened("fault", scope)}
        order by deployed_at desc, fault_id
        limit $limit
    """
    total = counts(source, scope, since, until)["faults"] if limit else 0
    return newest(source, sql, scope, since, until, limit, total)


def evidence(
    source: Frames, scope: Scope, since: date, until: date, limit: int | None = None
) -> pd.DataFrame:
    """What each of these faults is known by: a row for every incident, rollback, revert and hotfix."""
    sql = f"""
        select e."at", e.kind, e.rule, service, ref,
            case when {IS_LINK.format("e.url")} then e.url end as url, fault_id
        from {happened("fault", scope)}, unnest(evidence) as t(e)
        order by deployed_at desc, fault_id, e."at"
        limit $limit
    """
    total = counts(source, scope, since, until)["evidence"] if limit else 0
    return newest(source, sql, scope, since, until, limit, total)


def unattributed(
    source: Frames, scope: Scope, since: date, until: date, limit: int | None = None
) -> pd.DataFrame:
    """Incidents opened in the period that no rule blames a deployment for, newest first."""
    return source.frame(
        f"""
        select opened_at, service, severity, status, resolved_at, restore_seconds, {LINK}, incident_id
        from {happened("incident", scope)}
        where rule is null
        order by opened_at desc, incident_id
        limit $limit
        """,
        {"limit": limit, **within(scope, since, until)},
    )


def lead_times(source: Frames, scope: Scope, since: date, until: date) -> pd.Series:
    """Lead times of the changes shipped in the period, all services' taken together.

    How many `changes` count, and in seconds their `median` and `p90` (type 7), to within 1 %;
    `left_out` maps the reasons why others do not to how many these are.
    """
    steps = _steps(source, scope, since, until)
    is_timed = steps["step"] >= 0
    left_out = {LEFT_OUT[-1 - step]: n for step, n in steps[~is_timed].itertuples(index=False)}
    steps = steps[is_timed]
    if steps.empty:
        return pd.Series({"changes": 0, "median": np.nan, "p90": np.nan, "left_out": left_out})
    last_ranks = steps["changes"].cumsum().to_numpy() - 1
    seconds = np.exp((steps["step"].to_numpy(float) - 0.5) / STEPS)

    def quantile(share: float) -> float:
        rank = share * last_ranks[-1]
        low, high = seconds[np.searchsorted(last_ranks, [np.floor(rank), np.ceil(rank)])]
        return float(low + (rank % 1) * (high - low))

    return pd.Series(
        {"changes": last_ranks[-1] + 1, "median": quantile(0.5), "p90": quantile(0.9), "left_out": left_out}
    )


def distribution(source: Frames, scope: Scope, since: date, until: date) -> pd.DataFrame:
    """How many `changes` took from `low` to `high` seconds: bins of equal width on a logarithmic scale."""
    steps = _steps(source, scope, since, until).set_index("step")["changes"].loc[0:]
    bins = int(np.clip(np.sqrt(steps.sum()), 8, 40))
    width = -(-(steps.index[-1] - steps.index[0] + 1) // bins)
    first = steps.index[0] - 1
    changes = steps.groupby((steps.index - 1 - first) // width).sum()
    changes = changes.reindex(range(changes.index[-1] + 1), fill_value=0)
    edges = np.exp((first + width * np.arange(len(changes) + 1)) / STEPS)
    return pd.DataFrame({"low": edges[:-1], "high": edges[1:], "changes": changes.to_numpy()})


def _steps(source: Frames, scope: Scope, since: date, until: date) -> pd.DataFrame:
    """How many `changes` shipped in the period at each `step` of lead time, below 0 those left out."""
    return source.frame(
        f"""
        select lead_time_step::bigint as step, count(*) as changes
        from {happened("change", scope)}
        group by step
        order by step
        """,
        within(scope, since, until),
    )


def _least(steps: pd.DataFrame, limit: int | None) -> int:
    """The step at and above which the `limit` slowest are."""
    if limit is None:
        return 0
    above = steps["changes"][::-1].cumsum()
    reached = steps["step"][above.index[above >= limit]]
    return max(0, int(reached.iloc[0])) if len(reached) else 0


def counts(source: Frames, scope: Scope, since: date, until: date) -> pd.Series:
    """How many there are; `open_faults` go on, `unattributed` incidents name no deployment."""
    found = source.frame(
        f"""
        select d.deployments, f.faults, f.open_faults, f.evidence, i.incidents, i.unattributed
        from (
            select count(*) as deployments
            from {happened("deployment", scope)}
        ) as d
        cross join (
            select count(*) as faults, count(*) filter (recovered_at is null) as open_faults,
                coalesce(sum(len(evidence)), 0)::bigint as evidence
            from {happened("fault", scope)}
        ) as f
        cross join (
            select count(*) as incidents, count(*) filter (rule is null) as unattributed
            from {happened("incident", scope)}
        ) as i
        """,
        within(scope, since, until),
    ).iloc[0]
    found["changes"] = _steps(source, scope, since, until)["changes"].sum()
    return found


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
        select max(period_start) as last_on
        from marts.deployments
        where level = $level and key = $key and grain = 'day' and value > 0 and {STORED_BY}
    """
    last = source.frame(sql, {"level": scope.level, "key": scope.key}).iloc[0]["last_on"]
    return None if pd.isna(last) else last.date()
