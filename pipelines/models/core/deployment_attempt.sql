/*
description: >-
  Every recorded try to bring a version to production, whatever came of it: deployments; and, for
  repositories without any that succeeded, the jobs and workflows that the workspace names.
grain: one row per try
key: [attempt_id]
day: ended_on
columns:
  attempt_id: {type: varchar, description: "Source and id within it"}
  source: {type: varchar, description: "Source of the repository"}
  repository_id: {type: varchar, description: "Id within that source"}
  service: {type: varchar, description: "Service; null where it is of all of the repository", nullable: true}
  environment: {type: varchar, description: "Environment deployed to"}
  result: {type: varchar, description: "What came of it", accepted: [success, failed, cancelled, skipped]}
  ended_at: {type: timestamp with time zone, description: "When it ended, else when it started (UTC)"}
  ended_on: {type: date, description: "Local day on which it did"}
  url: {type: varchar, description: "Where a person can see it", nullable: true}
*/
with deploying as (
    select name
    from (select distinct name from raw.job) as j
    where exists (select 1 from config.production_job as p where regexp_full_match(j.name, p.pattern, 'i'))
),

deploying_workflow as (
    select workflow
    from (select distinct workflow from raw.pipeline_run) as r
    where exists (select 1 from config.production_job as p where regexp_full_match(r.workflow, p.pattern, 'i'))
),

job as (
    select
        j.source || ':' || j.id as attempt_id, r.source, r.repository, r.repository_url, j.result,
        coalesce(j.finished_at, j.started_at, j.queued_at) as ended_at, coalesce(j.url, r.url) as url
    from raw.job as j
    inner join raw.pipeline_run as r on r.source = j.source and r.id = j.run and r.attempt = j.attempt
    inner join config.source as s on s.source = j.source
    semi join deploying using (name)
    union all
    select
        r.source || ':' || r.id || '#' || r.attempt, r.source, r.repository, r.repository_url, r.result,
        coalesce(r.finished_at, r.started_at, r.queued_at), r.url
    from raw.pipeline_run as r
    inner join config.source as s on s.source = r.source
    semi join deploying_workflow using (workflow)
),

recorded as (
    select
        source || ':' || id as attempt_id, at_source as source, repository_id, service, environment,
        status as result, coalesce(finished_at, started_at) as ended_at, url,
        status = 'success' and sha is not null and finished_at is not null as is_event
    from core.located_deployment
    where is_production and repository_id is not null
),

built as (
    select
        j.attempt_id, coalesce(i.source, a.source) as source, coalesce(i.repository_id, a.repository_id) as repository_id,
        null as service, 'production' as environment, j.result, j.ended_at, j.url
    from job as j
    left join core.repository as i on i.source = j.source and i.repository_id = j.repository
    left join core.repository_address as a
        on j.repository is null and a.address = repository_address(j.repository_url)
    where coalesce(i.source, a.source) is not null
),

tried as (
    select * exclude (is_event) from recorded
    union all by name
    select * from built anti join (from recorded where is_event) using (source, repository_id)
)

select
    attempt_id, source, repository_id, service, environment, result, ended_at, local_date(ended_at) as ended_on, url
from tried
where result in ('success', 'failed', 'cancelled', 'skipped') and ended_at is not null
