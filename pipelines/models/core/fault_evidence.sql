/*
description: >-
  What shows that a deployment failed, charged to it once. What one rule blames on another deployment than a
  linked piece of better evidence does is charged there: to what an incident names, else to the deployment
  that shipped a reverted change, else to what was rolled back, else to what a hotfix was begun on, else to
  the last deployment before an incident.
grain: one row per fault and piece of evidence
key: [fault_id, kind, evidence_id]
columns:
  fault_id: {type: varchar, description: "Fault"}
  unit: {type: varchar, description: "What failed"}
  deployment_id: {type: varchar, description: "Deployment charged"}
  kind: {type: varchar, description: "What the evidence is", accepted: [incident, rollback, revert, hotfix]}
  evidence_id: {type: varchar, description: "Incident, deployment that went back, or change"}
  rule: {type: varchar, description: "How it was found", accepted: [named, revert, rollback, hotfix, incident]}
  blamed_deployment_id: {type: varchar, description: "Deployment that it blames, looked at alone"}
  began_at: {type: timestamp with time zone, description: "When the incident was opened, or the mend was begun (UTC)"}
  ended_at: {type: timestamp with time zone, description: "When the incident was resolved (null while it is open), or the mend reached production (UTC)", nullable: true}
  url: {type: varchar, description: "Where a person can see it", nullable: true}
*/
with recursive evidence as (
    select
        c.unit, c.deployment_id, 'incident' as kind, c.incident_id as evidence_id, c.rule, null::varchar as chain_id,
        null::bigint as back_to, i.opened_at as began_at, i.resolved_at as ended_at, i.url
    from core.incident_cause as c
    inner join core.incident as i using (incident_id)
    where c.deployment_id is not null
    union all
    select
        unit, deployment_id, kind, evidence_id, kind, chain_id, back_to, began_at, ended_at, url
    from core.mend
),

node as (
    select
        e.unit, e.deployment_id, d.started_at, d.finished_at,
        min(list_position(['named', 'revert', 'rollback', 'hotfix', 'incident'], e.rule)) as rank,
        bool_or(e.kind = 'incident') as has_incident
    from evidence as e
    inner join core.deployment as d using (deployment_id)
    group by all
),

-- Linked evidence is at most a window apart, so it is looked for in two windows of time instead of all.
bucket as (
    select e.*, floor(epoch(if(e.kind = 'incident', e.began_at, e.ended_at)) / greatest(w.failure_window_seconds, 1))::bigint as bucket
    from evidence as e
    cross join config.workspace as w
),

mend as (
    select b.* exclude (bucket), unnest([bucket, bucket - 1]) as bucket
    from bucket as b
    where b.kind <> 'incident'
),

mended as (
    select m.unit, m.deployment_id as one, i.deployment_id as other
    from mend as m
    inner join node as n on n.unit = m.unit and n.deployment_id = m.deployment_id and not n.has_incident
    inner join bucket as i on i.kind = 'incident' and i.unit = m.unit and i.bucket = m.bucket
    cross join config.workspace as w
    where i.began_at >= n.started_at
        and m.ended_at between i.began_at and i.began_at + to_seconds(w.failure_window_seconds)
        and coalesce(i.ended_at >= m.began_at, true)
    qualify row_number() over (
        partition by m.unit, m.kind, m.evidence_id order by i.began_at desc, i.evidence_id desc
    ) = 1
),

-- A rollback that went back behind the deployment of a change reverted since.
left_behind as (
    select m.unit, m.deployment_id as one, b.deployment_id as other
    from mend as m
    inner join bucket as b
        on b.kind = 'rollback' and b.unit = m.unit and b.chain_id = m.chain_id and b.bucket = m.bucket
        and m.ended_at >= b.ended_at
    inner join core.chain_deployment as c on c.chain_id = m.chain_id and c.deployment_id = m.deployment_id
    inner join core.chain_deployment as d on d.chain_id = b.chain_id and d.deployment_id = b.deployment_id
    where m.kind = 'revert' and b.back_to < c.sequence and c.sequence < d.sequence
),

link as (
    select unit, one, other from (from mended union from left_behind)
),

yielding as (
    select w.unit, w.deployment_id, b.deployment_id as to_deployment_id
    from (from link union select unit, other, one from link) as l
    inner join node as w on w.unit = l.unit and w.deployment_id = l.one
    inner join node as b on b.unit = l.unit and b.deployment_id = l.other and b.rank < w.rank
    qualify row_number() over (
        partition by w.unit, w.deployment_id order by b.rank, b.finished_at desc, b.deployment_id desc
    ) = 1
),

charged as (
    select unit, deployment_id, to_deployment_id, 1 as step from yielding
    union all
    select c.unit, c.deployment_id, y.to_deployment_id, c.step + 1
    from charged as c
    inner join yielding as y on y.unit = c.unit and y.deployment_id = c.to_deployment_id
),

settled as (
    select unit, deployment_id, arg_max(to_deployment_id, step) as to_deployment_id
    from charged
    group by all
)

select
    coalesce(s.to_deployment_id, e.deployment_id) || ' ' || e.unit as fault_id,
    e.unit,
    coalesce(s.to_deployment_id, e.deployment_id) as deployment_id,
    e.kind, e.evidence_id, e.rule, e.deployment_id as blamed_deployment_id, e.began_at, e.ended_at, e.url
from evidence as e
left join settled as s on s.unit = e.unit and s.deployment_id = e.deployment_id
