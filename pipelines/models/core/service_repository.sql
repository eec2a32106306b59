/*
description: Which repositories make up which service; without configured services each repository is one.
grain: one row per service and repository
key: [service, source, repository_id]
columns:
  service: {type: varchar, description: "Name of the service"}
  source: {type: varchar, description: "Configured name of the source"}
  repository_id: {type: varchar, description: "Id within the source"}
  repository: {type: varchar, description: "Name of the repository"}
  paths: {type: 'varchar[]', description: "Folders of the repository that are the service's own; none where it has all of it"}
*/
with matched as (
    select p.service, r.source, r.repository_id, r.repository, p.paths
    from core.repository as r
    inner join config.service_repository as p on r.repository glob p.pattern
    union all
    select p.service, r.source, r.repository_id, r.repository, p.paths
    from config.service_repository as p
    inner join core.repository_address as a on a.address = repository_address(p.pattern)
    inner join core.repository as r using (source, repository_id)
    where contains(p.pattern, '/')
    union all
    select r.repository as service, r.source, r.repository_id, r.repository, []
    from core.repository as r
    where not exists (from config.service)
)

select
    service,
    source,
    repository_id,
    any_value(repository) as repository,
    case when bool_or(len(paths) = 0) then [] else list_sort(list_distinct(flatten(list(paths)))) end as paths
from matched
group by service, source, repository_id
