/*
description: Time from a deployment that failed to recovery.
metric:
  title: Failed deployment recovery time
  unit: seconds
  definition: >-
    Median, over the deployments of the period that failed, of the time from reaching production (from the
    start, if an incident was opened before) to the first rollback, revert or fix that reached production, or
    to the end of the last incident if that was earlier. By Kaplan and Meier: those still open count for as
    long as they are known to be; null where the median is not reached. 90 % interval by order statistics on
    the effective sample size. Above a service, the median over services.
  better: lower
  estimate: survival
  coverage: failure
*/
with timed as (
    select
        *, recovered_at is not null as ended,
        coalesce(epoch(recovered_at), greatest(epoch(known_until), epoch(began_at))) - epoch(began_at) as seconds
    from core.failed_deployment
)

select
    f.subject_id, p.period_id,
    f.seconds as value, f.ended, case when f.seconds < 0 then 'negative' end as left_out
from timed as f
inner join core.period as p on p.day = f.finished_on
