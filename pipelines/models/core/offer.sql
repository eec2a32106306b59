/*
description: >-
  What adoption is told of, service by service: each capability and its eligible services, the platform as a whole,
  each migration and the services that have to move.
grain: one row per offer and service
key: [offer, service]
needs: config.service_scope
columns:
  offer: {type: varchar, description: "`capability:` or `migration:` and the name, or `platform`"}
  service: {type: varchar, description: "Name of the service"}
  valid_from: {type: date, description: "First local day on which it counts"}
  valid_until: {type: date, description: "Local day after the last; infinity while it lasts"}
*/
with offered as (
    select
        'capability:' || c.capability as offer, s.service,
        coalesce(c.introduced_on, '-infinity') as valid_from, coalesce(c.retired_on, 'infinity') as valid_until
    from config.capability as c
    inner join core.service_scope as s using (scope_id)
)

from offered
union all
select 'platform', service, min(valid_from), max(valid_until) from offered group by service
union all
-- What was never on the old way has nothing to move.
select 'migration:' || m.migration, s.service, greatest(m.started_on, coalesce(min(h.held_from), m.started_on)), 'infinity'::date
from config.migration as m
inner join core.service_scope as s using (scope_id)
left join core.capability_hold as h
    on h.capability = m.from_capability and h.service = s.service and h.asked = 'any' and h.held_until > m.started_on
where m.from_capability is null or h.service is not null
group by m.migration, m.started_on, s.service
