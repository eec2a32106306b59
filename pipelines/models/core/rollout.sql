/*
description: Versions as each production environment got them, and whether one took its predecessor back.
grain: one row per chain, environment and position
key: [chain_id, environment, sequence]
by: [sequence, chain_id, environment]
touched:
  core.environment_rollout: >-
    select sequence, chain_id, environment from changed
    union all
    select r.sequence, r.chain_id, r.environment
    from core.environment_rollout as r
    semi join changed as l
        on l.chain_id = r.chain_id and l.environment = r.environment and l.sequence = r.live_sequence
  lineage.ancestor: >-
    select r.sequence, r.chain_id, r.environment
    from changed as a
    inner join core.chain as c using (source, repository_id)
    inner join core.environment_rollout as r on r.sha = a.ancestor and r.chain_id = c.chain_id
columns:
  chain_id: {type: varchar, description: "Chain"}
  environment: {type: varchar, description: "Production environment"}
  sequence: {type: bigint, description: "Position in the chain and environment from 1"}
  deployment_id: {type: varchar, description: "Deployment it is part of"}
  sha: {type: varchar, description: "Commit deployed"}
  started_at: {type: timestamp with time zone, description: "When it started (UTC)"}
  finished_at: {type: timestamp with time zone, description: "When it finished (UTC)"}
  live_sequence: {type: bigint, description: "Position of the version live when it started", nullable: true}
  live_deployment_id: {type: varchar, description: "Deployment of the version live when it started", nullable: true}
  live_sha: {type: varchar, description: "Commit live when it started", nullable: true}
  is_rollback: {type: boolean, description: "Its commit is a strict ancestor of the one live when it started"}
*/
select
    r.chain_id, r.environment, r.sequence, r.deployment_id, r.sha, r.started_at, r.finished_at, r.live_sequence,
    l.deployment_id as live_deployment_id, l.sha as live_sha,
    a.ancestor is not null as is_rollback
from core.environment_rollout as r
-- refresh: semi join touched using (sequence, chain_id, environment)
left join core.environment_rollout as l
    on l.chain_id = r.chain_id and l.environment = r.environment and l.sequence = r.live_sequence
inner join core.chain as c on c.chain_id = r.chain_id
left join lineage.ancestor as a
    on a.source = c.source and a.repository_id = c.repository_id and a.ancestor = r.sha and a.descendant = l.sha
    and a.is_ancestor
