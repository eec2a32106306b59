/*
description: Changes that reached production, to drill down to.
grain: one row per service and change; repositories of no service have a row without one
key: [change_id, service]
columns:
  change_id: {type: varchar, description: "Source, repository and commit"}
  service: {type: varchar, description: "Service it is part of; null where the repository is of none", nullable: true}
  repository: {type: varchar, description: "Name of the repository"}
  team: {type: varchar, description: "Team that owns the service", nullable: true}
  sha: {type: varchar, description: "Commit id"}
  number: {type: bigint, description: "Pull request the subject names", nullable: true}
  kind: {type: varchar, description: "What the subject says", accepted: [revert, fix, change]}
  is_bot: {type: boolean, description: "Made by a bot"}
  first_authored_at: {type: timestamp with time zone, description: "Author's date of its first commit (UTC)", nullable: true}
  deployment_id: {type: varchar, description: "Deployment that shipped it first"}
  ref: {type: varchar, description: "Tag that names that version"}
  deployed_at: {type: timestamp with time zone, description: "When that deployment finished (UTC)"}
  deployed_on: {type: date, description: "Local day on which that deployment finished"}
  lead_time_seconds: {type: double, description: "Seconds from the author's date to the deployment; null where left out", nullable: true}
  left_out: {type: varchar, description: "Why it has no lead time that counts", nullable: true, accepted: [baseline, bot, undated, negative]}
  url: {type: varchar, description: "Where a person can see the commit; null without a web host", nullable: true}
*/
select
    c.change_id,
    m.service,
    r.repository,
    s.team,
    c.sha,
    c.number,
    c.kind,
    c.is_bot,
    c.first_authored_at,
    c.deployment_id,
    d.ref,
    c.deployed_at,
    c.deployed_on,
    c.lead_time_seconds,
    c.left_out,
    commit_url(r.url, c.sha) as url
from core.change as c
inner join core.deployment as d using (deployment_id)
inner join core.repository as r on r.source = c.source and r.repository_id = c.repository_id
left join core.service_repository as m on m.source = c.source and m.repository_id = c.repository_id
left join core.service as s on s.service = m.service
order by c.deployed_at, c.change_id
