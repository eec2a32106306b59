/*
description: >-
  Deployments to production. With git alone: tags that match the source's `releases`, in order of
  (time, name); a tag on the commit that is already live is no new deployment.
grain: one row per deployment
key: [deployment_id]
columns:
  deployment_id: {type: varchar, description: "Source, repository and what names the rollout there"}
  source: {type: varchar, description: "Configured name of the source"}
  repository_id: {type: varchar, description: "Id within the source"}
  environment: {type: varchar, description: "Environment deployed to"}
  ref: {type: varchar, description: "Tag that names the version"}
  sha: {type: varchar, description: "Commit deployed"}
  finished_at: {type: timestamp with time zone, description: "When it finished (UTC)"}
  finished_on: {type: date, description: "Local day on which it finished"}
  sequence: {type: bigint, description: "Position in the repository's chain of deployments from 1"}
  is_baseline: {type: boolean, description: "First known; what it contains has no known ship date"}
*/
with release as (
    select r.source, r.repository as repository_id, r.name as ref, r.sha, r."at" as dated_at
    from raw.ref as r
    inner join config.source as s on s.source = r.source and regexp_matches(r.name, s.releases)
    inner join core.repository as p on p.source = r.source and p.repository_id = r.repository
    where r.kind = 'tag' and r."at" is not null
),

rollout as (
    select *
    from release
    qualify sha is distinct from lag(sha) over (partition by source, repository_id order by dated_at, ref)
),

placed as (
    select *, row_number() over (partition by source, repository_id order by dated_at, ref) as sequence
    from rollout
)

select
    source || ':' || repository_id || '@' || ref as deployment_id,
    source,
    repository_id,
    'production' as environment,
    ref,
    sha,
    dated_at as finished_at,
    local_date(dated_at) as finished_on,
    sequence,
    sequence = 1 as is_baseline
from placed
