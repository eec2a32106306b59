/*
description: >-
  Rollouts that reached production. Environments reached by the same version within 24 hours are one
  rollout; a version that returns to an environment is a new one.
grain: one row per rollout
key: [deployment_id]
by: [deployment_id]
touched:
  core.deployment_event: [deployment_id]
  core.production_event: select m.deployment_id from core.deployment_event as m semi join changed using (event_id, environment)
columns:
  deployment_id: {type: varchar, description: "Source and what names its first event there, and the environment where that names several rollouts"}
  source: {type: varchar, description: "Source of its repository, of several the first"}
  repository_id: {type: varchar, description: "Id within that source"}
  service: {type: varchar, description: "Service; null where it is of all of the repository", nullable: true}
  environment: {type: varchar, description: "First environment reached"}
  environments: {type: 'varchar[]', description: "Every environment reached, in order"}
  ref: {type: varchar, description: "Tag or branch that names the version, else the commit's first 10 digits"}
  sha: {type: varchar, description: "Commit deployed"}
  started_at: {type: timestamp with time zone, description: "When it started (UTC)"}
  finished_at: {type: timestamp with time zone, description: "When it first reached production (UTC)"}
  finished_on: {type: date, description: "Local day on which it did"}
  url: {type: varchar, description: "Where a person can see it in the tool that recorded it", nullable: true}
*/
select
    r.deployment_id,
    min_by(e.source, e.place) as source,
    min_by(e.repository_id, e.place) as repository_id,
    any_value(e.service) as service,
    min_by(e.environment, e.place) as environment,
    list_distinct(list(e.environment order by e.place)) as environments,
    min_by(e.ref, e.place) as ref,
    min_by(e.sha, e.place) as sha,
    min_by(e.started_at, e.place) as started_at,
    min(e.finished_at) as finished_at,
    local_date(min(e.finished_at)) as finished_on,
    min_by(e.url, e.place) as url
from core.deployment_event as r
-- refresh: semi join touched using (deployment_id)
inner join (
    select *, (finished_at, event_id, environment, source, repository_id) as place from core.production_event
) as e using (event_id, environment)
group by r.deployment_id
