/*
description: Which repositories each level above a service spans, one of several services once.
grain: one row per level, key and repository
key: [level, key, repository]
columns:
  level: {type: varchar, description: "Level above a service", accepted: [organisation, team]}
  key: {type: varchar, description: "Name of the organisation or team"}
  repository: {type: varchar, description: "Name of the repository"}
*/
select distinct r.level, r.key, m.repository
from core.roll_up as r
inner join core.service_repository as m using (service)
