/*
description: How long it takes teams from a first touch to something live.
metric:
  area: adoption
  title: Time to first deployment (75 %)
  unit: seconds
  definition: >-
    From a team's first touch of the capability, in the period, to the next production deployment of a service with
    which it did: what three of four teams were no slower than, by Kaplan-Meier: those that have not deployed yet count as taking at least
    so long. Null while too few have.
  better: lower
  estimate: given
*/
select
    offer, level, key, grain, period_start, value, n, low, high,
    if(unknown_start > 0, map {'unknown_start': unknown_start}, null) as excluded
from analysis.first_deployment
where p = 0.75
