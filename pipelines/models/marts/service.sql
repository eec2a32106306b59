/*
description: Services, the teams that own them and the repositories they are made of.
grain: one row per service
key: [service]
columns:
  service: {type: varchar, description: "Name of the service"}
  team: {type: varchar, description: "Team that owns it; null where none is configured", nullable: true}
  repositories: {type: 'varchar[]', description: "Names of its repositories"}
*/
select service, team, repositories
from core.service
order by service
