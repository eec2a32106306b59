/*
description: >-
  Versions as each production environment got them, in order of finish, with the one that was live there
  when each started. Of chains that no chain of a service divides.
grain: one row per chain, environment and position
key: [chain_id, environment, sequence]
columns:
  chain_id: {type: varchar, description: "Chain"}
  environment: {type: varchar, description: "Production environment"}
  sequence: {type: bigint, description: "Position in the chain and environment from 1"}
  deployment_id: {type: varchar, description: "Deployment it is part of"}
  sha: {type: varchar, description: "Commit deployed"}
  started_at: {type: timestamp with time zone, description: "When it started (UTC)"}
  finished_at: {type: timestamp with time zone, description: "When it finished (UTC)"}
  live_sequence: {type: bigint, description: "Position of the version live when it started; null for the first", nullable: true}
*/
with placed as (
    select
        c.chain_id, e.environment, m.deployment_id, e.sha, e.started_at, e.finished_at,
        row_number() over (
            partition by c.chain_id, e.environment order by e.finished_at, e.event_id
        ) as sequence
    from core.production_event as e
    inner join core.deployment_event as m using (event_id, environment)
    inner join core.chain as c
        on c.is_leaf and c.source = e.source and c.repository_id = e.repository_id
        and (c.service is null or e.service is null or e.service = c.service)
),

-- At the same moment the later in order is live.
last_at as (
    select chain_id, environment, finished_at, max(sequence) as sequence from placed group by all
)

select
    p.chain_id, p.environment, p.sequence, p.deployment_id, p.sha, p.started_at, p.finished_at,
    -- One that took no time does not find itself, nor what finished with it but after it in order, live.
    if(l.sequence < p.sequence, l.sequence, if(l.sequence is not null, nullif(p.sequence - 1, 0), null)) as live_sequence
from placed as p
asof left join last_at as l
    on l.chain_id = p.chain_id and l.environment = p.environment and l.finished_at <= p.started_at
