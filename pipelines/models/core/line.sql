/*
description: >-
  Commits deployed one after another, along which lineage finds what each brought first: every chain, and
  of a chain that goes to several environments each of these.
grain: one row per line and position
key: [line_id, sequence]
by: [finished_at]
touched:
  core.chain_deployment: [finished_at]
  core.environment_rollout: >-
    with several as (
        select chain_id from core.environment_rollout group by chain_id having count(distinct environment) > 1
    )

    select finished_at from changed
    union all
    select r.finished_at
    from core.environment_rollout as r
    semi join several using (chain_id)
    anti join (from core.line where environment is not null) using (chain_id)
    union all
    select finished_at
    from core.line
    anti join several using (chain_id)
    where environment is not null
columns:
  line_id: {type: varchar, description: "Chain, and the environment"}
  source: {type: varchar, description: "Source of the repository"}
  repository_id: {type: varchar, description: "Id within the source"}
  chain_id: {type: varchar, description: "Chain"}
  environment: {type: varchar, description: "Environment; null for the chain itself", nullable: true}
  sequence: {type: bigint, description: "Position from 1"}
  sha: {type: varchar, description: "Commit deployed"}
  finished_at: {type: timestamp with time zone, description: "When it was (UTC)"}
*/
with several as (
    select chain_id from core.environment_rollout group by chain_id having count(distinct environment) > 1
)

select d.chain_id as line_id, c.source, c.repository_id, d.chain_id, null as environment, d.sequence, d.sha, d.finished_at
from (
    from core.chain_deployment
    -- refresh: semi join touched using (finished_at)
) as d
inner join core.chain as c using (chain_id)
union all
select
    r.chain_id || '#' || r.environment, c.source, c.repository_id, r.chain_id, r.environment, r.sequence, r.sha,
    r.finished_at
from (
    from core.environment_rollout
    -- refresh: semi join touched using (finished_at)
) as r
inner join core.chain as c using (chain_id)
semi join several using (chain_id)
