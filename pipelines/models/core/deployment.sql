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
-- As structs sort by their fields in order, what finished first is the first of them.
with deployed as (
    select
        r.deployment_id,
        any_value(e.service) as service,
        list_sort(list({
            'finished_at': e.finished_at, 'event_id': event_id, 'environment': environment, 'source': e.source,
            'repository_id': e.repository_id, 'ref': e.ref, 'sha': e.sha, 'started_at': e.started_at, 'url': e.url
        })) as events
    from core.deployment_event as r
    -- refresh: semi join touched using (deployment_id)
    inner join core.production_event as e using (event_id, environment)
    group by r.deployment_id
)

select
    deployment_id,
    events[1].source as source,
    events[1].repository_id as repository_id,
    service,
    events[1].environment as environment,
    list_distinct(list_transform(events, lambda event: event.environment)) as environments,
    events[1].ref as ref,
    events[1].sha as sha,
    events[1].started_at as started_at,
    events[1].finished_at as finished_at,
    local_date(events[1].finished_at) as finished_on,
    list_filter(events, lambda event: event.url is not null)[1].url as url
from deployed
