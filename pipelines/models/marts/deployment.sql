/*
description: Deployments to production, to drill down to.
grain: one row per service and deployment; repositories of no service have a row without one
key: [deployment_id, service]
columns:
  deployment_id: {type: varchar, description: "Source, repository and what names the rollout there"}
  service: {type: varchar, description: "Service deployed; null where the repository is of none", nullable: true}
  repository: {type: varchar, description: "Name of the repository"}
  team: {type: varchar, description: "Team that owns the service", nullable: true}
  environment: {type: varchar, description: "Environment deployed to"}
  ref: {type: varchar, description: "Tag or branch that names the version, else the commit's first 10 digits"}
  sha: {type: varchar, description: "Commit deployed"}
  finished_at: {type: timestamp with time zone, description: "When it finished (UTC)"}
  finished_on: {type: date, description: "Local day on which it finished"}
  is_baseline: {type: boolean, description: "First known; what it contains has no known ship date"}
  changes: {type: bigint, description: "Changes of people that it shipped first"}
  url: {type: varchar, description: "Where a person can see it, or its commit; null without a web host", nullable: true}
*/
with shipped as (
    select deployment_id, count(*) as changes
    from core.change
    where not is_bot
    group by deployment_id
)

select
    d.deployment_id,
    m.service,
    r.repository,
    s.team,
    d.environment,
    d.ref,
    d.sha,
    d.finished_at,
    d.finished_on,
    d.is_baseline,
    coalesce(c.changes, 0) as changes,
    coalesce(d.url, commit_url(r.url, d.sha)) as url
from core.deployment as d
inner join core.repository as r using (source, repository_id)
left join core.service_repository as m using (source, repository_id)
left join core.service as s on s.service = m.service
left join shipped as c using (deployment_id)
order by d.finished_at, d.deployment_id
