"""The adoption marts of a snapshot made by hand: two pipelines, one of which services leave for the other."""

from __future__ import annotations

import duckdb

METRICS = {
    "activation": ("ratio", "rate", 0.6), "breadth": ("ratio", "median_as_of", 0.5),
    "churn": ("ratio", "given", 0.1), "conformance": ("ratio", "median_as_of", 0.7),
    "currency": ("ratio", "rate_as_of", 0.6), "depth": ("ratio", "median_rate", 0.6),
    "developer_reach": ("ratio", "rate_as_of", 0.4), "outside_contribution": ("ratio", "rate", 0.3),
    "drift": ("ratio", "rate_as_of", 0.7), "first_deployment_p50": ("seconds", "given", 500_000.0),
    "first_deployment_p75": ("seconds", "given", 900_000.0), "new_software_share": ("ratio", "rate", 0.4),
    "quick_ratio": ("ratio", "quick_ratio", 2.0), "reach": ("ratio", "rate_as_of", 0.6),
    "retention": ("ratio", "rate", 0.7), "self_service_share": ("ratio", "rate", 0.6),
    "template_success": ("ratio", "rate", 0.7), "template_time": ("seconds", "median", 300.0),
    "voluntary_share": ("ratio", "rate_as_of", 0.5),
}  # fmt: skip
"""Metric → unit, estimate, and a value that its figures lie about."""

_LISTS = """
    create table marts.capability as
        select *, date '2025-01-01' as introduced_on, null::date as retired_on, null::date as mandated_on,
            false as is_golden, 30::bigint as cadence_days
        from (values
            ('golden-path', 'Golden path', 'platform', 'pipeline', 1, 4, 3, 1, 2),
            ('jenkins', 'Jenkins', 'platform', 'pipeline', 2, 4, 1, 1, 0)
        ) as t(capability, title, owner, kind, position, eligible_services, using_services, dormant_services,
            hidden_services);
    create temp table latest as select covered_until::date as day from marts.workspace;
    create table marts.adoption_service as
        select c.capability, s.service, s.team, 'tier-1' as tier, 'service' as kind,
            case when c.capability = 'jenkins' then if(s.service = 'maps', 'never', 'left') else 'using' end
                as state,
            day - 40 as since, null::date as last_used_on, 'v2' as version, false as is_start_unknown,
            false as is_carried, false as is_mandated, 'https://git.example/' || s.service as url
        from marts.capability as c cross join marts.service as s cross join latest;
    create table marts.adoption_change as
        select 'golden-path' as capability, service, team, 'tier-1' as tier, 'service' as kind,
            day - 200 as changed_on, 'adopted' as change, null::date as last_used_on, false as is_mandated,
            []::varchar[] as instead
        from marts.service cross join latest
        union all
        select 'jenkins', service, team, 'tier-1', 'service', day - 40, 'left', day - 70, false,
            ['golden-path']
        from marts.service cross join latest where service <> 'maps';
    create table marts.adoption_team_change as
        select 'jenkins' as capability, team, day - 40 as changed_on, 'left' as change, count(*) as services,
            ['golden-path'] as instead
        from marts.service cross join latest where team is not null group by all;
    create table marts.adoption_cohort as
        select capability, (date_trunc('month', day) - to_months(age))::date as cohort_month,
            month_number, 9 as services, 9 - month_number as retained
        from (values (null), ('golden-path')) as c(capability) cross join latest
        cross join range(2, 8) as a(age) cross join range(0, 7) as n(month_number)
        where month_number < age;
    create table marts.adoption_funnel as
        from (values ('golden-path', 1, 'eligible', 9), ('golden-path', 2, 'touched', 8),
            ('golden-path', 3, 'used', 7), ('golden-path', 4, 'using', 5), ('golden-path', 5, 'kept', null),
            ('jenkins', 1, 'eligible', 0), ('jenkins', 2, 'touched', 0)
        ) as t(capability, position, step, services);
    create table marts.check_result as
        select platform_check, title, weight, position, null::varchar as capability, service, team,
            'tier-1' as tier, 'service' as kind, hash(service || platform_check) % 3 > 0 as is_passed,
            null::date as changed_on
        from marts.service
        cross join (values ('path', 'Delivers by the golden path', 2.0, 1), ('scan', '<b>Scans</b>', 1.0, 2))
            as c(platform_check, title, weight, position);
    create table marts.version_use as
        from (values ('golden-path', 'v2', 2, true, 5), ('golden-path', 'v1', 1, true, 2),
            ('golden-path', null, null, false, null)
        ) as t(capability, version, ordinal, is_current, services);
    create table marts.migration as
        select *, day - 100 as started_on, day as as_of, day + 60 as finish_50_on, day + 90 as finish_85_on
        from (values
            ('off-jenkins', 'Off Jenkins', 'jenkins', 'golden-path', 1, 40, 25, 3, 'resampled')
        ) as t(migration, title, from_capability, to_capability, position, scope, done, dormant, method)
        cross join latest;
    create table marts.migration_burn_up as
        select 'off-jenkins' as migration, day - 7 * back::int as week_start, false as is_forecast,
            40 as scope, 25 - 2 * back as done, null::bigint as done_low, null::bigint as done_middle,
            null::bigint as done_high
        from latest cross join range(0, 12) as b(back)
        union all
        select 'off-jenkins', day + 7 * ahead::int, true, 40, null, least(40, 25 + ahead),
            least(40, 25 + 2 * ahead), least(40, 25 + 3 * ahead)
        from latest cross join range(1, 16) as a(ahead);
"""


def add(connection: duckdb.DuckDBPyConnection) -> None:
    """The lists; the figures are the metrics of `METRICS`, `by_capability`."""
    connection.execute(_LISTS)


def by_capability(connection: duckdb.DuckDBPyConnection, metric: str) -> None:
    """Give a metric made up for the whole platform rows of each capability, too."""
    connection.execute(f"alter table marts.{metric} add column capability varchar")
    connection.execute(
        f"insert into marts.{metric} by name"
        f" select m.* replace (c.capability as capability) from marts.{metric} as m"
        " cross join (values ('golden-path'), ('jenkins')) as c(capability)"
    )
