/*
description: The periods that each local day falls in, in the years of any activity.
grain: one row per day and grain
key: [day, grain]
day: day
columns:
  period_id: {type: integer, description: "The grain and period as a number"}
  day: {type: date, description: "Local day"}
  grain: {type: varchar, description: "Length of the period", accepted: [day, week, month, quarter, year]}
  period_start: {type: date, description: "First local day of the period"}
*/
with span as (
    select
        date_trunc('week', date_trunc('year', min(first_day))) as first_day,
        date_trunc('year', max(last_day)) + interval 1 year as until
    from core.activity
)

select period_id(grain, period_start(grain, day)) as period_id, day, grain, period_start(grain, day) as period_start
from (
    select day, unnest(grains()) as grain
    from (select unnest(range(first_day, until, interval 1 day))::date as day from span)
)
