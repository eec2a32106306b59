/*
description: Share of tries to deploy to production that succeeded.
metric:
  title: Deployment success rate
  unit: ratio
  definition: >-
    Recorded tries to deploy to production that succeeded / that succeeded or failed, of those that ended in
    the period; cancelled and skipped ones are left out and counted. Where tools record only what was
    deployed, as tags do, there is no figure. 90 % interval by Wilson. Above a service, the median over services.
  better: higher
  estimate: rate
*/
select
    s.subject_id, p.period_id,
    a.result = 'success' as hit,
    case when a.result in ('cancelled', 'skipped') then a.result end as left_out
from core.deployment_attempt as a
inner join core.chain as c
    on c.source = a.source and c.repository_id = a.repository_id
    and (c.service is null or a.service is null or a.service = c.service)
inner join core.chain_subject as s
    on s.chain_id = c.chain_id and during(a.ended_at, s.valid_from, s.valid_until)
inner join core.period as p on p.day = a.ended_on
