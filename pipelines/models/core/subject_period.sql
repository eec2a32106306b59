/*
description: >-
  Periods between a subject's first and last activity, a commit or a deployment. Dates after the
  last sync are taken for clock faults, unless a deployment carries them.
grain: one row per level, key, grain and period
key: [level, key, grain, period_start]
columns:
  level: {type: varchar, description: "Level of the figures", accepted: [service, repository]}
  key: {type: varchar, description: "Name of the service or repository"}
  grain: {type: varchar, description: "Length of the period", accepted: [day, week, month, quarter, year]}
  period_start: {type: date, description: "First local day"}
  period_end: {type: date, description: "First local day after the period"}
  partial: {type: boolean, description: "A source does not cover the end of the period"}
  is_deployed: {type: boolean, description: "At least one deployment of the subject is known, whenever it was"}
*/
with activity as (
    select c.source, c.repository_id, local_date(c.committed_at) as day, false as is_deployment
    from core.commit as c
    inner join core.repository as r using (source, repository_id)
    where c.committed_at <= r.covered_until
    union all
    select source, repository_id, finished_on, true from core.deployment
),

span as (
    select
        s.level, s.key, min(a.day) as first_day, max(a.day) as last_day, bool_or(a.is_deployment) as is_deployed
    from core.subject as s
    inner join activity as a using (source, repository_id)
    group by all
),

coverage as (
    select s.level, s.key, min(r.covered_until) as covered_until
    from core.subject as s
    inner join core.repository as r using (source, repository_id)
    group by all
),

period as (
    select
        level, key, grain, is_deployed,
        unnest(generate_series(
            period_start(grain, first_day)::timestamp, last_day::timestamp, period_length(grain)
        )) as started
    from (select *, unnest(grains()) as grain from span)
)

select
    level,
    key,
    grain,
    started::date as period_start,
    period_end(grain, started::date) as period_end,
    coverage.covered_until at time zone getvariable('timezone') < period_end(grain, started::date) as partial,
    is_deployed
from period
inner join coverage using (level, key)
