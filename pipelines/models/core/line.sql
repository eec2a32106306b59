/*
description: >-
  Commits deployed one after another, along which lineage finds what each brought first: every chain, and
  of a chain that goes to several environments each of these.
grain: one row per line and position
key: [line_id, sequence]
columns:
  line_id: {type: varchar, description: "Chain, and the environment"}
  source: {type: varchar, description: "Source of the repository"}
  repository_id: {type: varchar, description: "Id within the source"}
  chain_id: {type: varchar, description: "Chain"}
  environment: {type: varchar, description: "Environment; null for the chain itself", nullable: true}
  sequence: {type: bigint, description: "Position from 1"}
  sha: {type: varchar, description: "Commit deployed"}
*/
with several as (
    select chain_id from core.environment_rollout group by chain_id having count(distinct environment) > 1
)

select d.chain_id as line_id, c.source, c.repository_id, d.chain_id, null as environment, d.sequence, d.sha
from core.chain_deployment as d
inner join core.chain as c using (chain_id)
union all
select r.chain_id || '#' || r.environment, c.source, c.repository_id, r.chain_id, r.environment, r.sequence, r.sha
from core.environment_rollout as r
inner join core.chain as c using (chain_id)
semi join several using (chain_id)
