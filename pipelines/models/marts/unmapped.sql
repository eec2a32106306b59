/*
description: >-
  What could not be matched, so that figures lack it, thing by thing. Of people only how many there are.
grain: one row per kind, source, name and sort of figure
key: [kind, source, name, affects]
columns:
  kind: {type: varchar, description: "What is the matter; `data_quality` says what follows", accepted: [repository_without_service, deployment_without_repository, deployment_without_commit, deployment_of_unknown_service, environment_not_production, service_without_owner, unknown_owner, incident_without_service, change_without_path, author_without_team, use_without_service]}
  source: {type: varchar, description: "Configured name of the source; null where it is the workspace", nullable: true}
  name: {type: varchar, description: "What it is called there; null for people, who are not listed", nullable: true}
  affects: {type: varchar, description: "What `affected` counts", accepted: [deployments, changes, incidents, recorded deployments, statements, uses]}
  things: {type: bigint, description: "How many of them this row stands for"}
  affected: {type: bigint, description: "Deployments, changes, … that are in no figure, or in too few, for it"}
*/
with of_no_service as (
    select r.source, r.repository_id, r.repository
    from core.repository as r
    anti join core.service_repository as m using (source, repository_id)
),

unknown_service as (
    select d.source, d.service
    from (select distinct source, service from raw.deployment where service is not null) as d
    inner join config.source as s using (source)
    left join core.service_alias as a on a.alias = d.service and (a.kind is null or a.kind in (s.kind, s.source))
    group by all
    having count(a.service) = 0
),

unfit as (
    select
        l.source, coalesce(d.service, d.repository_url, d.repository, d.environment) as name,
        if(l.repository_id is null, 'deployment_without_repository', 'deployment_without_commit') as kind
    from core.located_deployment as l
    inner join raw.deployment as d using (source, id)
    where l.is_production and l.status = 'success'
        and (l.repository_id is null or l.sha is null or l.finished_at is null)
    union all
    select l.source, d.service, 'deployment_of_unknown_service'
    from core.located_deployment as l
    inner join (from raw.deployment semi join unknown_service using (source, service)) as d using (source, id)
    where l.is_production and l.status = 'success'
        and l.repository_id is not null and l.sha is not null and l.finished_at is not null
),

-- A service with paths has a chain of its own, and so a change that none of them has is of none.
pathless as (
    select h.change_key, h.source, h.repository_id
    from core.change as h
    semi join (from core.chain where service is not null) as c using (source, repository_id)
    anti join (
        select m.change_key
        from core.change_chain as m
        inner join core.chain as c using (chain_id)
        where c.service is not null
    ) as m using (change_key)
)

select 'repository_without_service' as kind, r.source, r.repository as name, 'deployments' as affects,
    1 as things, count(d.deployment_id) as affected
from of_no_service as r
left join core.deployment as d using (source, repository_id)
group by all
union all
select 'repository_without_service', r.source, r.repository, 'changes', 1, count(h.change_key)
from of_no_service as r
left join core.change as h using (source, repository_id)
group by all
union all
select kind, source, name, 'deployments', count(*), count(*)
from unfit
group by all
union all
select 'environment_not_production', source, environment, 'recorded deployments', 1, deployments
from core.environment
where not is_production
union all
select 'service_without_owner', null, s.service, 'deployments', 1, count(u.deployment_id)
from core.service as s
left join core.unowned_deployment as u using (service)
where exists (from core.team) and (
    u.service is not null or s.service not in (select service from core.ownership where valid_until = 'infinity')
)
group by all
union all
select 'unknown_owner', source, said_service || ' of ' || said_team, 'statements', 1, 1
from core.ownership_fact
where service is null or team is null
group by all
union all
select 'incident_without_service', i.source, coalesce(n.service, i.source), 'incidents', count(*), count(*)
from core.incident as i
left join raw.incident as n on i.incident_id = n.source || ':' || n.id
where i.service is null
group by all
union all
select 'change_without_path', p.source, r.repository, 'changes', count(*), count(*)
from pathless as p
inner join core.repository as r using (source, repository_id)
group by all
union all
select 'author_without_team', null, null, 'changes', count(distinct author), count(*)
from core.author
where not has_team and exists (from history.membership)
having count(*) > 0
union all
select
    'use_without_service', source, coalesce(repository, if(subject_kind = 'service', subject, null), source), 'uses',
    count(distinct observation_id), count(distinct observation_id)
from core.unplaced_use
group by all
order by kind, source, name, affects
