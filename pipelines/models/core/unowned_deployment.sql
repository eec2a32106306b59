/*
description: Deployments of services that, as far as is known, nobody owned when they finished.
grain: one row per service and deployment
key: [service, deployment_id]
columns:
  service: {type: varchar, description: "Name of the service"}
  deployment_id: {type: varchar, description: "Deployment"}
*/
select distinct s.service, d.deployment_id
from core.chain_deployment as d
inner join core.subject as s on s.level = 'service' and s.chain_id = d.chain_id
where not exists (
    from core.ownership as o
    where o.service = s.service and o.valid_from <= d.finished_at and o.valid_until > d.finished_at
)
