/*
description: >-
  What faults are found for, and the chains of each: services; and repositories, for what is of none of
  their services.
grain: one row per unit and repository
key: [unit, source, repository_id]
columns:
  unit: {type: varchar, description: "`service:` and its name, or `repository:` and its chain"}
  service: {type: varchar, description: "Service; null for a repository", nullable: true}
  chain_id: {type: varchar, description: "Chain of the unit in the repository"}
  source: {type: varchar, description: "Configured name of the repository's source"}
  repository_id: {type: varchar, description: "Id within the source"}
  is_home: {type: boolean, description: "Of what is only known to be in the repository"}
  is_rest: {type: boolean, description: "A repository that services have: only of what is of none of them"}
*/
with of_service as (
    select s.service, c.chain_id, c.source, c.repository_id
    from core.subject as s
    inner join core.chain as c using (chain_id)
    where s.level = 'service'
),

sharing as (
    select source, repository_id, count(*) as services from of_service group by all
)

select
    'service:' || s.service as unit, s.service, s.chain_id, s.source, s.repository_id,
    n.services = 1 as is_home, false as is_rest
from of_service as s
inner join sharing as n using (source, repository_id)
union all
select
    'repository:' || c.chain_id, null, c.chain_id, c.source, c.repository_id,
    n.services is distinct from 1, n.services is not null
from core.chain as c
left join sharing as n using (source, repository_id)
where c.service is null
