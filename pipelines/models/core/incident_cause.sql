/*
description: >-
  What each incident says failed: the deployment it names; else, of the same service, the last one that
  started before it was opened, if that had not ended longer ago than the failure window. What an incident
  names that started after it is not its cause but its fix.
grain: one row per incident that says so
key: [incident_id]
day: fixed_on
columns:
  incident_id: {type: varchar, description: "Incident"}
  unit: {type: varchar, description: "What failed; null where only a fix is known", nullable: true}
  rule: {type: varchar, description: "How the deployment was found", nullable: true, accepted: [named, incident]}
  deployment_id: {type: varchar, description: "Deployment that failed", nullable: true}
  fix_unit: {type: varchar, description: "What the fix was brought to", nullable: true}
  fix_deployment_id: {type: varchar, description: "Deployment that mended it", nullable: true}
  fixed_at: {type: timestamp with time zone, description: "When that reached production (UTC)", nullable: true}
  fixed_on: {type: date, description: "Local day of that", nullable: true}
*/
with reference as (
    select r.*, r.started_at > i.opened_at as is_fix
    from core.incident_reference as r
    inner join core.incident as i using (incident_id)
),

started as (
    select chain_id, started_at, max({finished_at: finished_at, deployment_id: deployment_id}) as last
    from core.chain_deployment
    group by chain_id, started_at
),

in_chain as (
    select i.incident_id, i.unit, i.opened_at, d.started_at, d.last
    from (
        select i.incident_id, i.unit, i.opened_at, u.chain_id
        from core.incident as i
        inner join core.fault_unit as u using (unit)
    ) as i
    asof inner join started as d on d.chain_id = i.chain_id and d.started_at <= i.opened_at
),

last_before as (
    select incident_id, unit, opened_at, arg_max(last, (started_at, last)) as last
    from in_chain
    group by all
),

guessed as (
    select b.incident_id, b.unit, b.last.deployment_id as deployment_id
    from last_before as b
    cross join config.workspace as w
    where b.opened_at <= b.last.finished_at + to_seconds(w.failure_window_seconds)
),

cause as (
    select incident_id, unit, 'named' as rule, deployment_id from reference where not is_fix
    union all
    select g.incident_id, g.unit, 'incident', g.deployment_id
    from guessed as g
    anti join (select incident_id from reference where not is_fix) using (incident_id)
)

select
    incident_id, c.unit, c.rule, c.deployment_id,
    f.unit as fix_unit, f.deployment_id as fix_deployment_id, f.finished_at as fixed_at,
    local_date(f.finished_at) as fixed_on
from cause as c
full join (select * from reference where is_fix) as f using (incident_id)
