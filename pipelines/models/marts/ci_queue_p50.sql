/*
description: How long CI runs wait for a machine, median.
metric:
  title: CI queue, p50
  unit: seconds
  definition: >-
    Median, over the attempts of CI runs that succeeded or failed in the period, of the time from being
    queued to the start of the first job. Cancelled, skipped and running ones are left out and counted; so
    are those of which that is not known: GitHub's runs without their jobs (`not_told`), and others
    without or with negative times. Above a service, the median over services.
  better: lower
  estimate: median
  coverage: ci
*/
select s.subject_id, p.period_id, x.queue_seconds as value, x.queue_left_out as left_out
from core.run as x
inner join core.chain_subject as s
    on s.chain_id = x.chain_id and during(x.counted_at, s.valid_from, s.valid_until)
inner join core.period as p on p.day = x.counted_on
