/*
description: Periods that figures of adoption can be of.
grain: one row per grain and period
key: [grain, period_start]
needs: config.service_scope
columns:
  grain: {type: varchar, description: "Length of the period", accepted: [day, week, month, quarter, year]}
  period_start: {type: date, description: "First local day"}
  period_end: {type: date, description: "First local day after the period"}
  as_of: {type: date, description: "Its last local day, or the last that was read"}
  partial: {type: boolean, description: "Not everything was read to its end"}
*/
with read as (
    select covered_until from core.repository
    union all
    select c.covered_until
    from raw.coverage as c
    inner join config.source using (source)
    semi join core.capability_evidence as e on e.source = c.source and e.scope = c.scope and e.kind = 'used'
),

span as (
    select
        (select min(observed_on) from core.capability_evidence) as first_day,
        (select local_date(max(covered_until) - interval 1 microsecond) from core.repository) as last_day,
        (select min(covered_until) from read) as covered_until
),

period as (
    select
        grain, last_day, covered_until,
        unnest(generate_series(
            period_start(grain, first_day)::timestamp, last_day::timestamp, period_length(grain)
        ))::date as period_start
    from (select *, unnest(grains()) as grain from span)
)

select
    grain, period_start, period_end(grain, period_start) as period_end,
    least(period_end(grain, period_start) - 1, last_day) as as_of,
    covered_until < local_moment(period_end(grain, period_start)) as partial
from period
order by grain, period_start
