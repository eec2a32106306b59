/*
description: >-
  Versions brought to production. What a tool recorded as deployed; for a repository without any such
  record, successful jobs and workflows that the workspace names; without these, tags that match
  `releases`. What is live already in its environment is not brought again.
grain: one row per event, environment and repository
key: [event_id, environment, source, repository_id]
columns:
  event_id: {type: varchar, description: "Source and what names it there"}
  environment: {type: varchar, description: "Environment reached"}
  source: {type: varchar, description: "Source of the repository"}
  repository_id: {type: varchar, description: "Id within the source"}
  service: {type: varchar, description: "Service; null where it is of all of the repository", nullable: true}
  unit: {type: varchar, description: "What is deployed as a whole: the service if it is known, and the repositories"}
  version: {type: varchar, description: "Repositories and their commits"}
  sha: {type: varchar, description: "Commit of the repository"}
  ref: {type: varchar, description: "Tag or branch that names the version, else the commit's first 10 digits"}
  started_at: {type: timestamp with time zone, description: "When it started, at the latest when it finished (UTC)"}
  finished_at: {type: timestamp with time zone, description: "When it finished (UTC)"}
  url: {type: varchar, description: "Where a person can see it in the tool that recorded it", nullable: true}
*/
with recorded as not materialized (
    select
        event_id, environment, at_source as source, repository_id, service, sha, ref, started_at, finished_at, url
    from core.located_deployment
    where is_production and status = 'success' and repository_id is not null and sha is not null
        and finished_at is not null
),

-- There are few names, and many jobs of each.
deploying as (
    select n.name
    from (select distinct name from raw.job) as n
    where exists (select 1 from config.production_job as p where regexp_full_match(n.name, p.pattern, 'i'))
),

job as (
    select
        j.source || ':' || j.id as event_id, r.source, r.repository, r.repository_url, r.sha,
        coalesce(j.started_at, j.queued_at, j.finished_at) as started_at, j.finished_at, coalesce(j.url, r.url) as url
    from (from raw.job semi join deploying using (name)) as j
    inner join raw.pipeline_run as r on r.source = j.source and r.id = j.run and r.attempt = j.attempt
    where j.result = 'success'
    union
    select
        r.source || ':' || r.id || '#' || r.attempt, r.source, r.repository, r.repository_url, r.sha,
        coalesce(r.started_at, r.queued_at, r.finished_at), r.finished_at, r.url
    from raw.pipeline_run as r
    inner join config.production_job as p on regexp_full_match(r.workflow, p.pattern, 'i')
    where r.result = 'success'
),

built as materialized (
    select
        j.event_id, 'production' as environment, coalesce(i.source, a.source) as source,
        coalesce(i.repository_id, a.repository_id) as repository_id, null as service, j.sha,
        left(j.sha, 10) as ref, j.started_at, j.finished_at, j.url
    from job as j
    left join core.repository as i on i.source = j.source and i.repository_id = j.repository
    left join core.repository_address as a
        on j.repository is null and a.address = repository_address(j.repository_url)
    where j.sha is not null and j.finished_at is not null and coalesce(i.source, a.source) is not null
),

tagged as materialized (
    select
        r.source || ':' || r.repository || '@' || r.name as event_id, 'production' as environment, r.source,
        r.repository as repository_id, null as service, r.sha, r.name as ref, r."at" as started_at,
        r."at" as finished_at, null as url
    from raw.ref as r
    inner join config.source as s on s.source = r.source and regexp_matches(r.name, s.releases)
    inner join core.repository as p on p.source = r.source and p.repository_id = r.repository
    where r.kind = 'tag' and r."at" is not null
),

told as materialized (
    select distinct source, repository_id from recorded
),

found as not materialized (
    select * from recorded
    union all by name
    select * from built anti join told using (source, repository_id)
    union all by name
    select * from tagged anti join told using (source, repository_id) anti join built using (source, repository_id)
),

several as (
    select event_id, environment from found group by all having count(*) > 1
),

single as (
    select
        *, concat(service, '|', source, ':', repository_id) as unit, concat(source, ':', repository_id, '@', sha) as version
    from (
        select
            *,
            lag(sha, 1, '') over (
                partition by source, repository_id, service, environment order by finished_at, event_id
            ) as before
        from found
        anti join several using (event_id, environment)
    )
    where before is distinct from sha
),

-- A rollout of several repositories is one event, finished with the last of them.
together as (
    select
        * exclude (service, started_at, finished_at),
        min(service) over event as service,
        min(started_at) over event as started_at,
        max(finished_at) over event as finished_at,
        concat(
            min(service) over event, '|',
            string_agg(concat(source, ':', repository_id), ' ' order by source, repository_id) over event
        ) as unit,
        string_agg(concat(source, ':', repository_id, '@', sha), ' ' order by source, repository_id) over event
            as version
    from (
        select *
        from found
        semi join several using (event_id, environment)
        -- A repository of which it has two records is at the later one's commit.
        qualify row_number() over (
            partition by event_id, environment, source, repository_id order by finished_at desc, sha
        ) = 1
    )
    window event as (partition by event_id, environment)
),

step as (
    select
        event_id, environment,
        lag(version) over (partition by unit, environment order by finished_at, event_id) as before
    from (select distinct event_id, environment, unit, version, finished_at from together)
),

event as (
    select * exclude (before) from single
    union all by name
    select t.* from together as t inner join step as s using (event_id, environment) where s.before is distinct from t.version
)

select
    event_id, environment, source, repository_id, service, unit, version, sha, ref,
    least(coalesce(started_at, finished_at), finished_at) as started_at, finished_at, url
from event
