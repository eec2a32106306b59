/*
description: >-
  Deployments to production: successful ones that a tool recorded for an environment the workspace
  takes for production; for a repository without any such record, tags that match its source's
  `releases`. In order of (time, name); the commit that is already live is no new deployment.
grain: one row per deployment
key: [deployment_id]
columns:
  deployment_id: {type: varchar, description: "Source, repository and what names the rollout there"}
  source: {type: varchar, description: "Configured name of the repository's source"}
  repository_id: {type: varchar, description: "Id within the source"}
  environment: {type: varchar, description: "Environment deployed to"}
  ref: {type: varchar, description: "Tag or branch that names the version, else the commit's first 10 digits"}
  sha: {type: varchar, description: "Commit deployed"}
  finished_at: {type: timestamp with time zone, description: "When it finished (UTC)"}
  finished_on: {type: date, description: "Local day on which it finished"}
  sequence: {type: bigint, description: "Position in the repository's chain of deployments from 1"}
  is_baseline: {type: boolean, description: "First known; what it contains has no known ship date"}
  url: {type: varchar, description: "Where a person can see it in the tool that recorded it", nullable: true}
*/
with single as (
    select service, any_value(source) as source, any_value(repository_id) as repository_id
    from core.service_repository
    group by service
    having count(*) = 1
),

located as (
    select
        d.*,
        coalesce(i.source, a.source, o.source) as at_source,
        coalesce(i.repository_id, a.repository_id, o.repository_id) as repository_id
    from raw.deployment as d
    left join core.repository as i on i.source = d.source and i.repository_id = d.repository
    left join core.repository as a
        on d.repository is null and repository_address(a.url) = repository_address(d.repository_url)
    left join single as o on d.repository is null and o.service = d.service
),

recorded as (
    select
        d.source || ':' || d.id as deployment_id,
        d.at_source as source,
        d.repository_id,
        d.environment,
        case when starts_with(d.ref, '~') or d.ref is null then left(d.sha, 10) else d.ref end as ref,
        d.sha,
        d.finished_at,
        d.id as name,
        d.url
    from located as d
    inner join core.environment as e on e.source = d.source and e.environment = d.environment
    inner join config.source as s on s.source = d.source
    where d.repository_id is not null and d.status = 'success' and d.sha is not null and d.finished_at is not null
        and case
            when s.kind = 'push' and d.is_production is not null then d.is_production
            else e.is_production
        end
),

tagged as (
    select
        r.source || ':' || r.repository || '@' || r.name as deployment_id,
        r.source,
        r.repository as repository_id,
        'production' as environment,
        r.name as ref,
        r.sha,
        r."at" as finished_at,
        r.name,
        null as url
    from raw.ref as r
    inner join config.source as s on s.source = r.source and regexp_matches(r.name, s.releases)
    inner join core.repository as p on p.source = r.source and p.repository_id = r.repository
    where r.kind = 'tag' and r."at" is not null and not exists (
        select 1 from recorded as d where d.source = r.source and d.repository_id = r.repository
    )
),

rollout as (
    select *
    from (from recorded union all by name from tagged)
    qualify sha is distinct from lag(sha) over (partition by source, repository_id order by finished_at, name)
),

placed as (
    select *, row_number() over (partition by source, repository_id order by finished_at, name) as sequence
    from rollout
)

select
    deployment_id,
    source,
    repository_id,
    environment,
    ref,
    sha,
    finished_at,
    local_date(finished_at) as finished_on,
    sequence,
    sequence = 1 as is_baseline,
    url
from placed
