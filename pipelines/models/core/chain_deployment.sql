/*
description: Deployments of each chain in order of finish; the first known is its baseline.
grain: one row per chain and deployment
key: [chain_id, sequence]
by: [finished_at]
onwards: true
touched:
  core.deployment: [finished_at]
  core.deployment_event: select finished_at from core.deployment semi join changed using (deployment_id)
  core.production_event: >-
    select finished_at
    from core.deployment
    semi join (from core.deployment_event semi join changed using (event_id, environment)) using (deployment_id)
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
    from (
        select deployment_id, started_at, finished_at, finished_on
        from core.deployment
        -- refresh: where finished_at >= (from touched)
    ) as d
    inner join core.deployment_event as m using (deployment_id)
    inner join core.production_event as e using (event_id, environment)
),

-- What stays as it is.
before as (
    select '' as chain_id, 0 as deployments where false
    -- refresh: union all
    -- refresh: select chain_id, max(sequence)
    -- refresh: from core.chain_deployment
    -- refresh: where finished_at < (from touched)
    -- refresh: group by chain_id
)

select
    chain_id,
    coalesce(n.deployments, 0) + row_number() over (partition by chain_id order by b.finished_at, b.deployment_id) as sequence,
    b.deployment_id, b.sha, b.started_at, b.finished_at, b.finished_on,
    sequence = 1 as is_baseline
from brought as b
inner join core.chain as c
    on c.source = b.source and c.repository_id = b.repository_id
    and (c.service is null or b.service is null or b.service = c.service)
left join before as n using (chain_id)
