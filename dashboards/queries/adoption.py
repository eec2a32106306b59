"""Who uses what the platform offers: rows of the adoption marts, which hold services and teams alone."""

from __future__ import annotations

from datetime import date

import pandas as pd

from dashboards.queries.scope import SERVICES, Frames, Scope, in_scope

_OF_CAPABILITY = "($capability is null or thing.capability = $capability)"

_TEAMS = {
    "organisation": "true",
    "team": """thing.team in (
        with recursive below as (
            select $key as team
            union
            select t.team from marts.team as t inner join below on t.parent = below.team
        )
        select team from below
    )""",
    "service": "thing.team in (select team from marts.tenure where service = $key)",
}
"""Teams of a scope by its level; a service's are those that own it or did."""


def capabilities(source: Frames) -> pd.DataFrame:
    """Rows of `marts.capability`, in the workspace's order."""
    return source.frame("from marts.capability order by position, capability")


def adopters(source: Frames, scope: Scope) -> pd.DataFrame:
    """Rows of `marts.adoption_service` of the scope's present services; who left lately comes first."""
    return source.frame(
        f"""
        select capability, service, team, tier, kind, state, since, last_used_on, version,
            is_start_unknown, is_carried, is_mandated, url
        from marts.adoption_service as thing
        where {_OF_CAPABILITY} and {_present(scope)}
        order by since desc nulls last, service, capability
        """,
        {"capability": scope.capability, **scope.params},
    )


def service_changes(source: Frames, scope: Scope, since: date, until: date) -> pd.DataFrame:
    """Services that took up, came back to or left a capability in the period, newest first."""
    return source.frame(
        f"""
        select changed_on, service, team, change, capability, instead, last_used_on, is_mandated
        from marts.adoption_change as thing {in_scope(scope, "changed_on")}
            and {_OF_CAPABILITY} and changed_on >= $since and changed_on < $until
        order by changed_on desc, service, capability
        """,
        {"capability": scope.capability, "since": since, "until": until, **scope.params},
    )


def team_changes(source: Frames, scope: Scope, since: date, until: date) -> pd.DataFrame:
    """Teams whose first service came to a capability in the period, or whose last one left; newest first."""
    return source.frame(
        f"""
        select changed_on, team, change, capability, instead, services
        from marts.adoption_team_change as thing
        where {_OF_CAPABILITY} and changed_on >= $since and changed_on < $until and {_TEAMS[scope.level]}
        order by changed_on desc, team, capability
        """,
        {"capability": scope.capability, "since": since, "until": until, **scope.params},
    )


def cohorts(source: Frames, scope: Scope) -> pd.DataFrame:
    """Retention of the whole organisation's cohorts: `cohort_month, month_number, services, retained`."""
    return source.frame(
        """
        select cohort_month, month_number, services, retained
        from marts.adoption_cohort
        where capability is not distinct from $capability
        order by cohort_month, month_number
        """,
        {"capability": scope.capability},
    )


def funnel(source: Frames, scope: Scope) -> pd.DataFrame:
    """How many services of the organisation came how far with the capability: `step, services`, in order."""
    return source.frame(
        "select step, services from marts.adoption_funnel where capability = $capability order by position",
        {"capability": scope.capability},
    )


def checks(source: Frames, scope: Scope) -> pd.DataFrame:
    """Rows of `marts.check_result` of the scope's present services, in the workspace's order of checks."""
    return source.frame(
        f"""
        select platform_check, title, weight, service, team, tier, is_passed, changed_on
        from marts.check_result as thing
        where {_present(scope)}
        order by position, service
        """,
        scope.params,
    )


def versions(source: Frames, scope: Scope) -> pd.DataFrame:
    """Services of the organisation by capability and version, the newest version first."""
    return source.frame(
        """
        select c.title, v.capability, v.version, v.is_current, v.services
        from marts.version_use as v
        inner join marts.capability as c using (capability)
        where ($capability is null or capability = $capability)
        order by c.position, v.ordinal desc nulls last, v.version
        """,
        {"capability": scope.capability},
    )


def migrations(source: Frames) -> pd.DataFrame:
    """Rows of `marts.migration`, in the workspace's order."""
    return source.frame("from marts.migration order by position, migration")


def burn_up(source: Frames, migration: str) -> pd.DataFrame:
    """Weeks of a migration, done and forecast: rows of `marts.migration_burn_up`."""
    return source.frame(
        "from marts.migration_burn_up where migration = $migration order by week_start, is_forecast",
        {"migration": migration},
    )


def _present(scope: Scope) -> str:
    return f"thing.service in (select thing.service {SERVICES[scope.level]})"
