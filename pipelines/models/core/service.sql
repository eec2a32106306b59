/*
description: Services and the teams that own them.
grain: one row per service
key: [service]
columns:
  service: {type: varchar, description: "Name of the service"}
  team: {type: varchar, description: "Team that owns it; null where none is configured", nullable: true}
  repositories: {type: 'varchar[]', description: "Names of its repositories"}
*/
select m.service, any_value(c.team) as team, list(m.repository order by m.repository) as repositories
from core.service_repository as m
left join config.service as c using (service)
group by m.service
