/*
description: Which repositories make up which service; without configured services each repository is one.
grain: one row per service and repository
key: [service, source, repository_id]
columns:
  service: {type: varchar, description: "Name of the service"}
  source: {type: varchar, description: "Configured name of the source"}
  repository_id: {type: varchar, description: "Id within the source"}
  repository: {type: varchar, description: "Name of the repository"}
*/
select distinct p.service, r.source, r.repository_id, r.repository
from core.repository as r
inner join config.service_repository as p on r.repository glob p.pattern
union
select p.service, r.source, r.repository_id, r.repository
from core.repository as r
inner join config.service_repository as p on repository_address(r.url) = repository_address(p.pattern)
where contains(p.pattern, '/')
union all
select r.repository as service, r.source, r.repository_id, r.repository
from core.repository as r
where not exists (from config.service)
