/*
description: >-
  Deployments that failed, with how that was found and when it was over. One failure of one service,
  however many incidents, rollbacks and reverts show it.
grain: one row per deployment and what failed
key: [fault_id]
columns:
  fault_id: {type: varchar, description: "Deployment and what failed"}
  deployment_id: {type: varchar, description: "Deployment charged"}
  unit: {type: varchar, description: "What failed: a service, or what is of no service of a repository"}
  service: {type: varchar, description: "Service that failed; null where it is of none", nullable: true}
  rule: {type: varchar, description: "Best of the rules that blame this deployment", accepted: [named, revert, rollback, hotfix, incident]}
  began_at: {type: timestamp with time zone, description: "When it first reached production; when it started, if an incident was opened before (UTC)"}
  recovered_at: {type: timestamp with time zone, description: "When the first mend reached production, or the last incident was resolved if that was earlier (UTC); null while it is open", nullable: true}
  known_until: {type: timestamp with time zone, description: "Until when it is known to have been open, if it is (UTC)", nullable: true}
*/
with shown as (
    select e.*, c.fixed_at, i.known_until
    from core.fault_evidence as e
    inner join core.incident_cause as c on c.incident_id = e.evidence_id
    inner join core.incident as i on i.incident_id = e.evidence_id
    where e.kind = 'incident'
    union all by name
    select * from core.fault_evidence where kind <> 'incident'
)

select
    s.fault_id,
    s.deployment_id,
    s.unit,
    any_value(u.service) as service,
    arg_min(s.rule, list_position(['named', 'revert', 'rollback', 'hotfix', 'incident'], s.rule))
        filter (s.blamed_deployment_id = s.deployment_id) as rule,
    if(
        min(s.began_at) filter (s.kind = 'incident') < any_value(d.finished_at),
        any_value(d.started_at), any_value(d.finished_at)
    ) as began_at,
    least(
        min(s.ended_at) filter (s.kind <> 'incident'),
        min(s.fixed_at),
        if(
            bool_and(s.ended_at is not null) filter (s.kind = 'incident'),
            max(s.ended_at) filter (s.kind = 'incident'), null
        )
    ) as recovered_at,
    max(s.known_until) filter (s.ended_at is null) as known_until
from shown as s
inner join core.deployment as d using (deployment_id)
inner join (select distinct unit, service from core.fault_unit) as u on u.unit = s.unit
group by s.fault_id, s.deployment_id, s.unit
