/*
description: What figures are about at the two lowest levels, and the repositories behind each.
grain: one row per level, key and repository
key: [level, key, source, repository_id]
columns:
  level: {type: varchar, description: "Level of the figures", accepted: [service, repository]}
  key: {type: varchar, description: "Name of the service or repository"}
  source: {type: varchar, description: "Configured name of the source"}
  repository_id: {type: varchar, description: "Id within the source"}
*/
select 'service' as level, service as key, source, repository_id from core.service_repository
union all
select 'repository', repository, source, repository_id from core.repository
