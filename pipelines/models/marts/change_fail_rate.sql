/*
description: Share of deployments to production that failed.
metric:
  title: Change fail rate
  unit: ratio
  definition: >-
    Deployments charged with at least one fault / deployments, of those that finished in the period. A fault
    is an incident, a rollback, or a revert or hotfix within the failure window; what is linked is one fault,
    charged once. Incidents that no deployment can be found for do not count, and are listed. 90 % interval by
    Wilson. Above a service, the median over services.
  better: lower
  estimate: rate
  coverage: failure
*/
with deployed as (
    select distinct s.subject_id, d.deployment_id, d.finished_on
    from core.chain_deployment as d
    inner join core.subject as s
        on s.chain_id = d.chain_id and during(d.finished_at, s.valid_from, s.valid_until)
)

select
    d.subject_id, p.period_id,
    f.deployment_id is not null as hit,
    null::varchar as left_out
from deployed as d
left join core.failed_deployment as f using (subject_id, deployment_id)
inner join core.period as p on p.day = d.finished_on
