"""What the pages read: one function per question, from a published snapshot to a frame.

Each takes anything with a snapshot's `frame(sql, params)`. Days are those of the workspace's
time zone, `until` is exclusive, durations are in seconds.
"""

from __future__ import annotations

from datetime import date
from typing import Any, Literal, NamedTuple, Protocol

import pandas as pd

from dashboards.words import GRAINS


class Frames(Protocol):
    """A published snapshot, or a cache of one."""

    def frame(self, sql: str, params: Any = ()) -> pd.DataFrame:
        """Rows of a query; `params` by name."""


class Scope(NamedTuple):
    """Whose figures are shown."""

    level: Literal["organisation", "team", "service"]
    key: str

    @property
    def label(self) -> str:
        """What the filter calls it."""
        return {"organisation": "All services", "team": f"Team: {self.key}"}.get(self.level, self.key)


Metric = Literal["deployments", "deployment_frequency", "change_lead_time"]

_IN_SCOPE = {
    "organisation": "service is not null",
    "team": """service in (
            with recursive within as (
                select $key as team
                union
                select t.team from marts.team as t inner join within as w on t.parent = w.team
            )
            select s.service from marts.service as s inner join within as w on w.team = s.team
        )""",
    "service": "service = $key",
}
"""Rows of a scope; a team's are those of the teams below it too, and what is of no service has no figures."""


def workspace(source: Frames) -> pd.Series:
    """The one row of `marts.workspace`."""
    return source.frame("from marts.workspace").iloc[0]


def covered_on(source: Frames) -> date:
    """The last day that was read, if only in part."""
    row = workspace(source)
    return pd.Timestamp(row["covered_until"]).tz_convert(str(row["timezone"])).date()


def scopes(source: Frames) -> list[Scope]:
    """Services, teams and the whole; the only service stands first, else the whole does."""
    organisation = Scope("organisation", str(workspace(source)["organisation"]))
    services = [Scope("service", name) for name in _names(source, "select service from marts.service")]
    teams = [Scope("team", name) for name in _names(source, "select team from marts.team where services > 0")]
    return services if len(services) == 1 else [organisation, *teams, *services]


def services(source: Frames, scope: Scope) -> int:
    """How many services the scope spans."""
    sql = f"select count(*) as n from marts.service where {_IN_SCOPE[scope.level]}"
    return int(source.frame(sql, _scope(scope)).iloc[0]["n"])


def extent(source: Frames) -> tuple[date, date] | None:
    """Days of the first and the latest deployment of any service; None where there is none."""
    row = source.frame(
        "select min(finished_on) as first_on, max(finished_on) as last_on"
        " from marts.deployment where service is not null"
    ).iloc[0]
    return None if pd.isna(row["first_on"]) else (row["first_on"].date(), row["last_on"].date())


def latest_deployment(source: Frames, scope: Scope) -> date | None:
    """Day of the scope's latest deployment; None where there is none."""
    sql = f"select max(finished_on) as last_on from marts.deployment where {_IN_SCOPE[scope.level]}"
    last = source.frame(sql, _scope(scope)).iloc[0]["last_on"]
    return None if pd.isna(last) else last.date()


def coverage(source: Frames) -> pd.DataFrame:
    """What was read, by repository: `source, repository, commits, tags, release_tags, covered_until`."""
    return source.frame("from marts.coverage order by source, repository")


def definition(source: Frames, metric: Metric) -> pd.Series:
    """The metric's row of `marts.metric_definition`."""
    return source.frame("from marts.metric_definition where metric = $metric", {"metric": metric}).iloc[0]


def trend(source: Frames, metric: Metric, scope: Scope, grain: str, since: date, until: date) -> pd.DataFrame:
    """The metric's rows, one for every period from `since` to `until`, which bound whole periods.

    A period the snapshot has no row for comes as `no_data`, and as `partial` where it ends after the data.
    """
    rows = source.frame(
        f"""
        select period_start, period_end, value, unit, n, low, high, status, partial, excluded
        from marts.{metric}
        where level = $level and key = $key and grain = $grain
            and period_start >= $since and period_start < $until
        """,
        {"level": scope.level, "key": scope.key, "grain": grain, "since": since, "until": until},
    )
    spans = pd.period_range(since, until, freq=GRAINS[grain])
    starts = pd.DataFrame({"period_start": spans.start_time, "period_end": (spans + 1).start_time})
    starts = starts[starts["period_start"] < pd.Timestamp(until)].astype("datetime64[us]")
    filled = starts.merge(rows.drop(columns="period_end"), on="period_start", how="left")
    ends_later = filled["period_end"] > pd.Timestamp(covered_on(source))
    return filled.assign(
        metric=metric,
        unit=definition(source, metric)["unit"],
        status=filled["status"].fillna("no_data"),
        partial=filled["partial"].where(filled["partial"].notna(), ends_later).astype(bool),
        n=filled["n"].fillna(0).astype("int64"),
    )


def deployments(
    source: Frames, scope: Scope, since: date, until: date, limit: int | None = None
) -> pd.DataFrame:
    """Deployments that finished in the period, newest first."""
    return source.frame(
        f"""
        select finished_at, service, ref, sha, environment, changes, is_baseline,
            {_LINK}, deployment_id
        from {_once("deployment", scope)}
        where finished_on >= $since and finished_on < $until
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
        from {_once("change", scope)}
        where deployed_on >= $since and deployed_on < $until
            {"and lead_time_seconds is not null and left_out is null" if slowest_first else ""}
        order by {"lead_time_seconds desc," if slowest_first else ""} deployed_at desc, change_id
        limit $limit
        """,
        {"limit": limit, **_within(scope, since, until)},
    )


def lead_times(source: Frames, scope: Scope, since: date, until: date) -> pd.Series:
    """Seconds of every change that counts in lead time and shipped in the period, in no order."""
    return source.frame(
        f"""
        select lead_time_seconds
        from {_once("change", scope)}
        where deployed_on >= $since and deployed_on < $until
            and lead_time_seconds is not null and left_out is null
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
        from {_once("change", scope)}
        where deployed_on >= $since and deployed_on < $until
            and lead_time_seconds is not null and left_out is null
        """,
        _within(scope, since, until),
    ).iloc[0]


def counts(source: Frames, scope: Scope, since: date, until: date) -> pd.Series:
    """How many `deployments` and `changes` there are in the period."""
    return source.frame(
        f"""
        select
            (
                select count(*) from {_once("deployment", scope)}
                where finished_on >= $since and finished_on < $until
            ) as deployments,
            (
                select count(*) from {_once("change", scope)}
                where deployed_on >= $since and deployed_on < $until
            ) as changes
        """,
        _within(scope, since, until),
    ).iloc[0]


def left_out(source: Frames, scope: Scope, since: date, until: date) -> pd.DataFrame:
    """Changes shipped in the period that have no part in lead time: `reason, changes`, most first."""
    return source.frame(
        f"""
        select left_out as reason, count(*) as changes
        from {_once("change", scope)}
        where deployed_on >= $since and deployed_on < $until and left_out is not null
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
        where repository in (select unnest(repositories) from marts.service where {_IN_SCOPE[scope.level]})
    """
    found = source.frame(sql, _scope(scope)).iloc[0]["n"]
    return 0 if pd.isna(found) else int(found)


# Only what opens in a browser becomes a link: a repository may well be a path, and a field may hold anything.
_LINK = r"case when regexp_matches(url, '^https?://[^\s]+$') then url end as url"


def _once(table: str, scope: Scope) -> str:
    """Rows of the scope in `marts.deployment` or `marts.change`: one of several services' once."""
    return (
        f"(select * from marts.{table} where {_IN_SCOPE[scope.level]}"
        f" qualify row_number() over (partition by {table}_id order by service) = 1)"
    )


def _names(source: Frames, sql: str) -> list[str]:
    return sorted(str(row[0]) for row in source.frame(sql).itertuples(index=False))


def _scope(scope: Scope) -> dict[str, object]:
    return {} if scope.level == "organisation" else {"key": scope.key}


def _within(scope: Scope, since: date, until: date) -> dict[str, object]:
    return {"since": since, "until": until, **_scope(scope)}
