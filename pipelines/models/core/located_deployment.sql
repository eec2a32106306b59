/*
description: >-
  Deployments as tools recorded them, with the repository and the service they are of: what the record
  names; else, in a repository of several services, the one that the environment's name ends in.
grain: one row per record
key: [source, id]
by: [source, id]
touched:
  raw.deployment: [source, id]
  core.environment: select d.source, d.id from raw.deployment as d semi join changed using (source, environment)
columns:
  source: {type: varchar, description: "Configured name of the source that recorded it"}
  id: {type: varchar, description: "Id within the source"}
  event_id: {type: varchar, description: "Source and what names the rollout there: one of several repositories has several records"}
  at_source: {type: varchar, description: "Source of its repository", nullable: true}
  repository_id: {type: varchar, description: "Id within that source; null where the repository is not known", nullable: true}
  service: {type: varchar, description: "Service; null where it is of all of the repository, or not known", nullable: true}
  environment: {type: varchar, description: "Environment deployed to"}
  is_production: {type: boolean, description: "The workspace, or for a pushed event its sender, takes the environment for production"}
  sha: {type: varchar, description: "Commit deployed", nullable: true}
  ref: {type: varchar, description: "Tag or branch that names the version, else the commit's first 10 digits", nullable: true}
  status: {type: varchar, description: "How it ended, or that it runs"}
  started_at: {type: timestamp with time zone, description: "When it started, else when it was asked for (UTC)", nullable: true}
  finished_at: {type: timestamp with time zone, description: "First success, else the end (UTC)", nullable: true}
  url: {type: varchar, description: "Where a person can see it", nullable: true}
*/
with named as (
    select d.source, d.id, a.service
    from raw.deployment as d
    -- refresh: semi join touched using (source, id)
    inner join config.source as s on s.source = d.source
    inner join core.service_alias as a on a.alias = d.service and (a.kind is null or a.kind in (s.kind, s.source))
    qualify row_number() over (partition by d.source, d.id order by a.kind nulls last, a.service) = 1
),

single as (
    select service, any_value(source) as source, any_value(repository_id) as repository_id
    from core.service_repository
    group by service
    having count(*) = 1
),

placed as (
    select
        d.*, n.service as named_service,
        coalesce(i.source, a.source, o.source) as at_source,
        coalesce(i.repository_id, a.repository_id, o.repository_id) as at_repository_id
    from (
        select *, if(repository is null, repository_address(repository_url), null) as address
        from raw.deployment
        -- refresh: semi join touched using (source, id)
    ) as d
    left join named as n using (source, id)
    left join core.repository as i on i.source = d.source and i.repository_id = d.repository
    left join core.repository_address as a using (address)
    left join single as o on o.service = if(d.repository is null and d.repository_url is null, n.service, null)
),

suffixed as (
    select p.environment, m.source, m.repository_id, max_by(m.service, len(m.service)) as service
    from (select distinct environment, at_source, at_repository_id from placed) as p
    inner join core.service_repository as m on m.source = p.at_source and m.repository_id = p.at_repository_id
    where ends_with(lower(p.environment), '-' || lower(m.service))
        or ends_with(lower(p.environment), '_' || lower(m.service))
        or ends_with(lower(p.environment), '/' || lower(m.service))
    group by all
),

shared as (
    select source, repository_id from core.service_repository group by all having count(*) > 1
)

select
    p.source,
    p.id,
    p.source || ':' || coalesce(p.rollout, p.id) as event_id,
    p.at_source,
    p.at_repository_id as repository_id,
    -- One service alone is all of its repository.
    case
        when p.at_repository_id is null then p.named_service
        when s.source is not null then coalesce(m.service, x.service)
    end as service,
    p.environment,
    case
        when c.kind = 'push' and p.is_production is not null then p.is_production
        else e.is_production
    end as is_production,
    p.sha,
    case when starts_with(p.ref, '~') or p.ref is null then left(p.sha, 10) else p.ref end as ref,
    p.status,
    coalesce(p.started_at, p.created_at) as started_at,
    p.finished_at,
    p.url
from placed as p
inner join config.source as c on c.source = p.source
inner join core.environment as e on e.source = p.source and e.environment = p.environment
left join core.service_repository as m
    on m.source = p.at_source and m.repository_id = p.at_repository_id and m.service = p.named_service
left join shared as s on s.source = p.at_source and s.repository_id = p.at_repository_id
left join suffixed as x
    on x.environment = p.environment and x.source = p.at_source and x.repository_id = p.at_repository_id
