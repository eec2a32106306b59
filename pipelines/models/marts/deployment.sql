/*
description: Deployments to production, to drill down to.
grain: one row per service and deployment; repositories of no service have a row without one
key: [deployment_id, service]
by: [deployment_id]
touched:
  core.chain_deployment: [deployment_id]
  core.shipment: [deployment_id]
  core.rollout: [deployment_id]
  core.deployment: [deployment_id]
  core.change: select x.deployment_id from core.shipment as x semi join changed using (change_key)
columns:
  deployment_id: {type: varchar, description: "Source, repository and what names the rollout there"}
  service: {type: varchar, description: "Service deployed; null where the repository is of none", nullable: true}
  subject_key: {type: ubigint, description: "The service as a number, by which the rows are stored: `subject_key('service', service)`", nullable: true}
  shared_rank: {type: bigint, description: "From 1 by the services' names, where it is of several: there is a row for each", nullable: true}
  repeats_for: {type: 'varchar[]', description: "Teams of which another service, before it by name, has a row for the same deployment: it counts for them there", nullable: true}
  repository: {type: varchar, description: "Name of the repository, of several the first"}
  team: {type: varchar, description: "Team that owned the service then, of several the first by name", nullable: true}
  environment: {type: varchar, description: "First environment reached"}
  environments: {type: 'varchar[]', description: "Every environment reached, in order"}
  ref: {type: varchar, description: "Tag or branch that names the version, else the commit's first 10 digits"}
  sha: {type: varchar, description: "Commit deployed"}
  finished_at: {type: timestamp with time zone, description: "When it first reached production (UTC)"}
  finished_on: {type: date, description: "Local day on which it did"}
  is_baseline: {type: boolean, description: "First known; what it contains has no known ship date"}
  is_rollback: {type: boolean, description: "Went back behind the version that was live"}
  changes: {type: bigint, description: "Changes of people that it shipped first"}
  url: {type: varchar, description: "Where a person can see it, or its commit; null without a web host", nullable: true}
*/
with placed as (
    select distinct s.service, o.team, d.deployment_id, d.chain_id, d.is_baseline
    from core.chain_deployment as d
    -- refresh: semi join touched using (deployment_id)
    inner join core.subject as s on s.level = 'service' and s.chain_id = d.chain_id
    inner join core.owner as o on o.service = s.service and during(d.finished_at, o.valid_from, o.valid_until)
    union all
    select null, null, d.deployment_id, d.chain_id, d.is_baseline
    from core.chain_deployment as d
    -- refresh: semi join touched using (deployment_id)
    inner join core.chain as c on c.chain_id = d.chain_id and c.is_leaf and c.service is null
    anti join (from core.subject where level = 'service') as s on s.chain_id = d.chain_id
),

shipped as (
    select chain_id, deployment_id, count(*) as changes
    from core.shipment as x
    -- refresh: semi join touched using (deployment_id)
    inner join (
        from core.change
        -- refresh: semi join (
        -- refresh:     select change_key from core.shipment semi join touched using (deployment_id)
        -- refresh:     group by change_key having count(*) > 0
        -- refresh: ) using (change_key)
    ) as c using (change_key)
    where not c.is_bot
    group by all
),

rolled_back as (
    select distinct deployment_id from core.rollout where is_rollback
),

-- One of several repositories of a service is one row.
once as (
    select
        p.service, p.deployment_id, min(p.team) as team, bool_and(p.is_baseline) as is_baseline,
        coalesce(sum(s.changes), 0)::bigint as changes
    from placed as p
    left join shipped as s using (chain_id, deployment_id)
    group by p.service, p.deployment_id
),

repeated as (
    select p.deployment_id, p.service, list(distinct t.team order by t.team) as repeats_for
    from once as p
    inner join once as b on b.deployment_id = p.deployment_id and b.service < p.service
    inner join core.deployment as d on d.deployment_id = p.deployment_id
    inner join core.tenure as t on t.service = b.service and during(d.finished_at, t.valid_from, t.valid_until)
    group by all
)

select
    d.deployment_id,
    p.service,
    subject_key('service', p.service) as subject_key,
    case when count(*) over by_deployment > 1 then row_number() over (by_deployment order by p.service) end as shared_rank,
    a.repeats_for,
    r.repository,
    p.team,
    d.environment,
    d.environments,
    d.ref,
    d.sha,
    d.finished_at,
    d.finished_on,
    p.is_baseline,
    b.deployment_id is not null as is_rollback,
    p.changes,
    coalesce(d.url, commit_url(r.url, d.sha)) as url
from once as p
inner join core.deployment as d using (deployment_id)
inner join core.repository as r using (source, repository_id)
left join rolled_back as b on b.deployment_id = p.deployment_id
left join repeated as a on a.deployment_id = p.deployment_id and a.service = p.service
window by_deployment as (partition by d.deployment_id)
order by subject_key, d.finished_at
