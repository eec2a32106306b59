/*
description: >-
  Versions as each production environment got them, in order of finish, with the one that was live there
  when each started. Of chains that no chain of a service divides.
grain: one row per chain, environment and position
key: [chain_id, environment, sequence]
by: [finished_at]
onwards: true
touched:
  core.production_event: [finished_at]
  core.deployment_event: select finished_at from core.production_event semi join changed using (event_id, environment)
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
with brought as (
    select c.chain_id, e.environment, m.deployment_id, e.event_id, e.sha, e.started_at, e.finished_at
    from (
        from core.production_event
        -- refresh: where finished_at >= (from touched)
    ) as e
    inner join core.deployment_event as m using (event_id, environment)
    inner join core.chain as c
        on c.is_leaf and c.source = e.source and c.repository_id = e.repository_id
        and (c.service is null or e.service is null or e.service = c.service)
),

-- What stays as it is.
before as (
    select '' as chain_id, '' as environment, 0 as sequence, null::timestamptz as finished_at where false
    -- refresh: union all
    -- refresh: select chain_id, environment, sequence, finished_at
    -- refresh: from core.environment_rollout
    -- refresh: where finished_at < (from touched)
),

last_before as (
    select chain_id, environment, max(sequence) as sequence, max(finished_at) as finished_at
    from before
    group by all
),

placed as (
    select
        b.* exclude (event_id), coalesce(l.sequence, 0) + row_number() over in_order as sequence,
        coalesce(lag(b.finished_at) over in_order, l.finished_at) as last_finished_at
    from brought as b
    left join last_before as l using (chain_id, environment)
    window in_order as (partition by chain_id, environment order by b.finished_at, b.event_id)
),

-- What started before the one before it had finished. The live one is then further back.
overlapping as (
    select chain_id, environment, sequence, started_at from placed where last_finished_at > started_at
),

-- At the same moment the later in order is live.
last_at as (
    select chain_id, environment, finished_at, max(sequence) as sequence
    from (
        select chain_id, environment, finished_at, sequence from placed
        union all
        select chain_id, environment, finished_at, sequence from before
    )
    semi join overlapping using (chain_id, environment)
    group by all
),

behind as (
    select o.chain_id, o.environment, o.sequence, l.sequence as live_sequence
    from overlapping as o
    asof inner join last_at as l
        on l.chain_id = o.chain_id and l.environment = o.environment and l.finished_at <= o.started_at
)

select
    p.chain_id, p.environment, p.sequence, p.deployment_id, p.sha, p.started_at, p.finished_at,
    if(p.last_finished_at > p.started_at, b.live_sequence, nullif(p.sequence - 1, 0)) as live_sequence
from placed as p
left join behind as b using (chain_id, environment, sequence)
