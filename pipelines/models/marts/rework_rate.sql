/*
description: Share of deployments to production that were needed because of a fault.
metric:
  title: Rework rate
  unit: ratio
  definition: >-
    Deployments that are a rollback, ship a revert or hotfix, each within the failure window of what it takes
    back, or are the fix that an incident names / deployments, of those that finished in the period. 90 %
    interval by Wilson. Above a service, the median over services.
  better: lower
  estimate: rate
  coverage: failure
*/
with deployed as (
    select distinct s.subject_id, d.deployment_id, d.finished_on
    from core.chain_deployment as d
    inner join core.subject as s
        on s.chain_id = d.chain_id and during(d.finished_at, s.valid_from, s.valid_until)
),

mending as (
    select unit, by_deployment_id as deployment_id from core.mend
    union
    select fix_unit, fix_deployment_id from core.incident_cause where fix_deployment_id is not null
),

rework as (
    select distinct s.subject_id, m.deployment_id
    from mending as m
    inner join core.fault_subject as s using (unit)
)

select
    d.subject_id, p.period_id,
    r.deployment_id is not null as hit,
    null::varchar as left_out
from deployed as d
left join rework as r using (subject_id, deployment_id)
inner join core.period as p on p.day = d.finished_on
