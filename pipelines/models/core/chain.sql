/*
description: >-
  Lines of deployments, each through one repository: of all of it; and, where several services share it
  and deployments or paths tell them apart, of each service.
grain: one row per chain
key: [chain_id]
columns:
  chain_id: {type: varchar, description: "Source and repository, and the service"}
  source: {type: varchar, description: "Configured name of the source"}
  repository_id: {type: varchar, description: "Id within the source"}
  service: {type: varchar, description: "Service; null for the whole repository", nullable: true}
  is_leaf: {type: boolean, description: "No service of the repository has a chain of its own beside it"}
*/
with shared as (
    select m.source, m.repository_id
    from core.service_repository as m
    left join core.production_event as e
        on e.source = m.source and e.repository_id = m.repository_id and e.service is not null
    group by all
    having bool_or(len(m.paths) > 0) or (count(distinct m.service) > 1 and count(e.event_id) > 0)
)

select
    r.source || ':' || r.repository_id as chain_id, r.source, r.repository_id, null::varchar as service,
    s.source is null as is_leaf
from core.repository as r
left join shared as s using (source, repository_id)
union all
select m.source || ':' || m.repository_id || '/' || m.service, m.source, m.repository_id, m.service, true
from core.service_repository as m
semi join shared using (source, repository_id)
