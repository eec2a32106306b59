/*
description: How long CI takes, .9 quantile.
metric:
  title: CI duration, p90
  unit: seconds
  definition: >-
    .9 quantile, over the attempts of CI runs that succeeded or failed in the period, of the time from
    start to end. Cancelled, skipped and running ones, and those without or with negative times, are left
    out and counted. Above a service, the median over services.
  better: lower
  estimate: p90
  coverage: ci
*/
select s.subject_id, p.period_id, x.duration_seconds as value, x.duration_left_out as left_out
from core.run as x
inner join core.chain_subject as s
    on s.chain_id = x.chain_id and during(x.counted_at, s.valid_from, s.valid_until)
inner join core.period as p on p.day = x.counted_on
