/*
description: >-
  Periods between a subject's first and last activity, and whether what feeds its figures was read to
  their end.
grain: one row per level, key, grain and period
key: [level, key, grain, period_start]
day: period_start
by: [grain, period_start]
touched:
  core.activity: >-
    select grain, unnest(generate_series(period_start(grain, days[1])::timestamp, days[2], period_length(grain)))::date
    from (select unnest(grains()) as grain)
    cross join (
        select distinct unnest(if(
            count(first_day) = 2 and bool_and(is_deployed) = bool_or(is_deployed),
            [[min(first_day), max(first_day)], [min(last_day), max(last_day)]],
            [[min(first_day), max(last_day)]]
        )) as days
        from changed
        group by level, key
    )
  core.subject_coverage: >-
    select grain, unnest(generate_series(period_start(grain, days[1])::timestamp, days[2], period_length(grain)))::date
    from (select unnest(grains()) as grain)
    cross join (
        select distinct unnest(if(
            count(*) = 2,
            [
                [local_date(min(delivery_until)) - 1, local_date(max(delivery_until))],
                [local_date(min(failure_until)) - 1, local_date(max(failure_until))],
                [local_date(min(ci_until)) - 1, local_date(max(ci_until))]
            ],
            [[any_value(a.first_day), any_value(a.last_day)]]
        )) as days
        from changed
        left join core.activity as a using (level, key)
        group by level, key
    )
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
with period as (
    select level, key, is_deployed, grain, period_start
    from (
        select
            level, key, is_deployed, grain,
            unnest(generate_series(
                period_start(grain, first_day)::timestamp, last_day::timestamp, period_length(grain)
            ))::date as period_start
        from (select *, unnest(grains()) as grain from core.activity)
    )
    -- refresh: semi join touched using (grain, period_start)
),

-- Where clocks stand is asked once of each period, not of each subject in it.
ending as (
    select
        grain, period_start, period_id(grain, period_start) as period_id,
        period_end(grain, period_start) as period_end, local_moment(period_end(grain, period_start)) as ends_at
    from (select distinct grain, period_start from period)
),

subject as (
    select distinct s.subject_id, level, key, subject_key(level, key) as subject_key, c.* exclude (level, key)
    from core.subject as s
    inner join core.subject_coverage as c using (level, key)
)

select
    s.subject_id, e.period_id, level, key, s.subject_key, grain, period_start, e.period_end,
    p.is_deployed,
    s.delivery_until < e.ends_at as delivery_partial,
    s.failure_until < e.ends_at as failure_partial,
    s.ci_until < e.ends_at as ci_partial
from period as p
inner join subject as s using (level, key)
inner join ending as e using (grain, period_start)
