/*
description: Deployments of each chain in order of finish; the first known is its baseline.
grain: one row per chain and deployment
key: [chain_id, sequence]
day: finished_on
columns:
  chain_id: {type: varchar, description: "Chain"}
  sequence: {type: bigint, description: "Position in the chain from 1"}
  deployment_id: {type: varchar, description: "Deployment"}
  sha: {type: varchar, description: "Commit deployed"}
  started_at: {type: timestamp with time zone, description: "When it started (UTC)"}
  finished_at: {type: timestamp with time zone, description: "When it first reached production (UTC)"}
  finished_on: {type: date, description: "Local day on which it did"}
  is_baseline: {type: boolean, description: "First known; what it contains has no known ship date"}
*/
with brought as (
    select distinct d.deployment_id, d.started_at, d.finished_at, d.finished_on, e.source, e.repository_id, e.service, e.sha
    from core.production_event as e
    inner join core.deployment_event as m using (event_id, environment)
    inner join core.deployment as d using (deployment_id)
)

select
    c.chain_id,
    row_number() over (partition by c.chain_id order by b.finished_at, b.deployment_id) as sequence,
    b.deployment_id, b.sha, b.started_at, b.finished_at, b.finished_on,
    row_number() over (partition by c.chain_id order by b.finished_at, b.deployment_id) = 1 as is_baseline
from brought as b
inner join core.chain as c
    on c.source = b.source and c.repository_id = b.repository_id
    and (c.service is null or b.service is null or b.service = c.service)
