/*
description: When a migration will be done.
metric:
  area: adoption
  title: Migration time left (50 %)
  unit: seconds
  definition: >-
    From the end of the period to the day by which the migration is done in 50 % of what its weekly throughput so far
    makes likely: weeks drawn anew, over and over. None before four weeks with anything done in them, and not where 50 % are
    not done within ten years.
  better: lower
  estimate: given
*/
select offer, level, key, grain, period_start, seconds_50 as value, weeks as n, null as low, null as high, null as excluded
from analysis.migration_forecast
