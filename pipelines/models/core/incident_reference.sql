/*
description: >-
  Deployments that incidents name: by the deployment's id, by a commit, or by a pull request; of several
  the first that leads to one.
grain: one row per incident that names a known deployment
key: [incident_id]
columns:
  incident_id: {type: varchar, description: "Incident"}
  unit: {type: varchar, description: "What the named deployment is of: what the incident is of, if it was deployed there"}
  deployment_id: {type: varchar, description: "Deployment; of a commit the one that had it live, else the first to ship what is named"}
  started_at: {type: timestamp with time zone, description: "When that deployment started (UTC)"}
  finished_at: {type: timestamp with time zone, description: "When it first reached production (UTC)"}
*/
with home as (
    select source, repository_id, unit from core.fault_unit where is_home
),

-- The id of a record, of one of several repositories, or of what a tag or a job brought.
recorded as (
    select i.incident_id, s.source = i.source as is_own, e.deployment_id
    from core.incident as i
    cross join config.source as s
    left join core.located_deployment as l on l.source = s.source and l.id = i.named_deployment
    inner join core.deployment_event as e
        on e.event_id = coalesce(l.event_id, s.source || ':' || i.named_deployment)
        and (l.environment is null or e.environment = l.environment)
    where i.named_deployment is not null
),

by_deployment as (
    select
        incident_id,
        case
            when count(distinct deployment_id) filter (is_own) = 1 then any_value(deployment_id) filter (is_own)
            when count(distinct deployment_id) = 1 then any_value(deployment_id)
        end as deployment_id
    from recorded
    group by incident_id
),

of_unit as (
    select distinct i.incident_id, i.unit
    from by_deployment as b
    inner join core.incident as i using (incident_id)
    inner join core.fault_unit as u using (unit)
    inner join core.chain_deployment as d on d.chain_id = u.chain_id and d.deployment_id = b.deployment_id
),

-- Tools name a commit in full, people by its first digits.
named as (
    select i.incident_id, c.source, c.repository_id, c.sha, c.commit_key
    from core.incident as i
    inner join core.commit as c on c.sha = i.named_sha
    where len(i.named_sha) >= 40
    union all
    select i.incident_id, c.source, c.repository_id, c.sha, c.commit_key
    from core.incident as i
    inner join core.commit as c on left(c.sha, 7) = left(i.named_sha, 7) and starts_with(c.sha, i.named_sha)
    where len(i.named_sha) < 40
),

known as (
    select i.incident_id, i.opened_at, u.unit, c.source, c.repository_id, c.sha, c.commit_key
    from core.incident as i
    inner join named as c using (incident_id)
    left join core.fault_unit as u on u.unit = i.unit and u.source = c.source and u.repository_id = c.repository_id
    qualify (u.unit is not null) = bool_or(u.unit is not null) over (partition by i.incident_id)
        and count(*) over (partition by i.incident_id, u.unit is not null) = 1
),

placed as (
    select c.incident_id, c.opened_at, u.unit, u.chain_id, c.sha, c.commit_key
    from known as c
    inner join home as h using (source, repository_id)
    inner join core.fault_unit as u
        on u.unit = coalesce(c.unit, h.unit) and u.source = c.source and u.repository_id = c.repository_id
),

live as (
    select
        c.incident_id, c.unit, 2 as preference,
        arg_max(d.deployment_id, (d.started_at, d.finished_at, d.deployment_id)) as deployment_id
    from placed as c
    inner join core.chain_deployment as d
        on d.chain_id = c.chain_id and d.sha = c.sha and d.started_at <= c.opened_at
    group by c.incident_id, c.unit
),

shipped_first as (
    select c.incident_id, c.unit, 3 as preference, c.chain_id, k.sequence
    from placed as c
    inner join (
        from lineage.label semi join (select commit_key from placed where is_any(commit_key)) using (commit_key)
    ) as k on k.line_id = c.chain_id and k.commit_key = c.commit_key
    union all
    select i.incident_id, i.unit, 4, any_value(u.chain_id), min(x.sequence)
    from core.incident as i
    inner join core.fault_unit as u using (unit)
    inner join core.change as c
        on c.source = u.source and c.repository_id = u.repository_id and c.number = i.named_number
    left join core.shipment as x on x.chain_id = u.chain_id and x.change_key = c.change_key
    group by i.incident_id, i.unit
    having count(distinct u.chain_id) = 1
),

resolved as (
    select b.incident_id, coalesce(o.unit, 'service:' || d.service, h.unit) as unit, 1 as preference, d.deployment_id
    from by_deployment as b
    inner join core.deployment as d using (deployment_id)
    inner join home as h using (source, repository_id)
    left join of_unit as o using (incident_id)
    union all
    select * from live
    union all
    select f.incident_id, f.unit, f.preference, d.deployment_id
    from shipped_first as f
    inner join core.chain_deployment as d using (chain_id, sequence)
    where not d.is_baseline
)

select r.incident_id, r.unit, r.deployment_id, d.started_at, d.finished_at
from resolved as r
inner join core.deployment as d using (deployment_id)
qualify row_number() over (partition by r.incident_id order by r.preference) = 1
