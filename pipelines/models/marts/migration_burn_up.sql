/*
description: What of each migration was done by the end of each week, and what is likely to be.
grain: one row per migration and week
key: [migration, week_start]
needs: config.service_scope
columns:
  migration: {type: varchar, description: "Name of the migration"}
  week_start: {type: date, description: "Monday of the week, at whose end it is so"}
  is_forecast: {type: boolean, description: "The week is yet to come"}
  scope: {type: bigint, description: "Active services that have to move, those that have included; null where withheld", nullable: true}
  done: {type: bigint, description: "Services that have; null where it is a forecast", nullable: true}
  done_low: {type: bigint, description: "At least so many in 85 % of what is likely", nullable: true}
  done_middle: {type: bigint, description: "At least so many in half of it", nullable: true}
  done_high: {type: bigint, description: "At least so many in 15 % of it", nullable: true}
*/
select
    capability as migration, period_start as week_start, false as is_forecast, n as scope,
    round(value * n)::bigint as done, null::bigint as done_low, null::bigint as done_middle, null::bigint as done_high
from marts.migration_done
where level = 'organisation' and grain = 'week'
    and period_end <= (select max(as_of) + 1 from marts.adoption_period)
union all
select substr(offer, 11), week_start, true, scope, null, done_low, done_middle, done_high
from analysis.migration_fan
order by migration, week_start
