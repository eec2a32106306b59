/*
description: Services that at least one repository is of.
grain: one row per service
key: [service]
columns:
  service: {type: varchar, description: "Name of the service"}
  repositories: {type: 'varchar[]', description: "Names of its repositories"}
*/
select service, list(repository order by repository) as repositories
from core.service_repository
group by service
