/*
description: >-
  Periods between a subject's first and last activity, and whether what feeds its figures was read to
  their end.
grain: one row per level, key, grain and period
key: [level, key, grain, period_start]
day: period_start
columns:
  subject_id: {type: integer, description: "The level and key as a number"}
  period_id: {type: integer, description: "The grain and period as a number"}
  level: {type: varchar, description: "Level of the figures", accepted: [service, repository, tenure]}
  key: {type: varchar, description: "Name of the service or repository, or of a service in a team"}
  subject_key: {type: ubigint, description: "Level and key as a number, by which figures are stored: `subject_key(level, key)`"}
  grain: {type: varchar, description: "Length of the period", accepted: [day, week, month, quarter, year]}
  period_start: {type: date, description: "First local day"}
  period_end: {type: date, description: "First local day after the period"}
  is_deployed: {type: boolean, description: "At least one deployment of the subject is known, whenever it was"}
  delivery_partial: {type: boolean, description: "Commits or deployments were not read to its end"}
  failure_partial: {type: boolean, description: "Incidents were not read to its end and the failure window after it"}
  ci_partial: {type: boolean, description: "Runs were not read to its end"}
*/
with span as (
    select
        level, key, subject_key(level, key) as subject_key, min(day) as first_day, max(day) as last_day,
        bool_or(is_deployment) as is_deployed
    from core.activity
    group by all
),

period as (
    select
        level, key, subject_key, grain, is_deployed,
        unnest(generate_series(
            period_start(grain, first_day)::timestamp, last_day::timestamp, period_length(grain)
        ))::date as period_start
    from (select *, unnest(grains()) as grain from span)
)

select
    s.subject_id, period_id(p.grain, p.period_start) as period_id, p.level, p.key, p.subject_key, p.grain, p.period_start,
    period_end(p.grain, p.period_start) as period_end,
    p.is_deployed,
    c.delivery_until < local_moment(period_end(p.grain, p.period_start)) as delivery_partial,
    c.failure_until < local_moment(period_end(p.grain, p.period_start)) as failure_partial,
    c.ci_until < local_moment(period_end(p.grain, p.period_start)) as ci_partial
from period as p
inner join core.subject_coverage as c using (level, key)
inner join (select distinct subject_id, level, key from core.subject) as s using (level, key)
