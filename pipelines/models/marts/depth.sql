/*
description: How much of what is deployed goes through the platform.
metric:
  area: adoption
  title: Depth
  unit: ratio
  definition: >-
    Production deployments of a service on days on which a state of a capability of the kind `pipeline` lasted, or with a
    value event of it / all its production deployments in the period. Above a service, the median over services. Without a
    capability, any of that kind.
  better: higher
  estimate: median_rate
*/
with pipeline as (
    select capability from config.capability where kind = 'pipeline'
),

offered as (
    select o.offer, o.service, o.valid_from, o.valid_until
    from core.offer as o
    inner join pipeline as p on o.offer = 'capability:' || p.capability
),

every as (
    from offered
    union all
    select 'platform', service, min(valid_from), max(valid_until) from offered group by service
),

deployed as (
    select distinct s.key as service, d.deployment_id, d.finished_on as day
    from core.chain_deployment as d
    inner join core.subject as s on s.level = 'service' and s.chain_id = d.chain_id
),

through as (
    select distinct d.service, d.deployment_id, o.offer
    from deployed as d
    inner join core.capability_use as u on u.service = d.service and d.day >= u.used_from and d.day < u.used_until
    inner join offered as o on o.offer = 'capability:' || u.capability and o.service = u.service
)

select
    e.offer, d.service, null as team, d.day, null as left_out,
    (d.service, d.deployment_id, e.offer) in (select (service, deployment_id, offer) from through)
    or (e.offer = 'platform' and (d.service, d.deployment_id) in (select (service, deployment_id) from through)) as hit
from deployed as d
inner join every as e on e.service = d.service and d.day >= e.valid_from and d.day < e.valid_until
