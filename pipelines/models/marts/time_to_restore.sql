/*
description: Time from an incident's opening to its end.
metric:
  title: Time to restore
  unit: seconds
  definition: >-
    Median, over the incidents opened in the period, of the time from their opening to their last resolution,
    whether a deployment caused them or not. By Kaplan and Meier: those still open count for as long as they
    are known to be; null where the median is not reached. 90 % interval by order statistics on the effective
    sample size. Above a service, the median over services.
  better: lower
  estimate: survival
  coverage: failure
*/
with timed as (
    select
        *, resolved_at is not null as ended,
        coalesce(epoch(resolved_at), greatest(epoch(known_until), epoch(opened_at))) - epoch(opened_at) as seconds
    from core.incident
),

counted as (
    select distinct s.subject_id, i.incident_id, i.opened_on, i.ended, i.seconds
    from timed as i
    inner join core.fault_subject as s
        on s.unit = i.unit and during(i.opened_at, s.valid_from, s.valid_until)
    left join core.chain as c on c.source = i.at_source and c.repository_id = i.repository_id and c.service is null
    where s.level <> 'repository' or c.chain_id is null or s.chain_id = c.chain_id
)

select
    i.subject_id, p.period_id,
    i.seconds as value, i.ended, case when i.seconds < 0 then 'negative' end as left_out
from counted as i
inner join core.period as p on p.day = i.opened_on
