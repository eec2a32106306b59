/*
description: >-
  Services that each filter of the `platform` settings takes in: those eligible for a capability, under a mandate,
  asked of by a check, in a migration. By their traits and owners of today.
grain: one row per filter and service
key: [scope_id, service]
columns:
  scope_id: {type: varchar, description: "Filter: `eligible:`, `mandate:`, `check:` or `migration:` and a name"}
  service: {type: varchar, description: "Name of the service"}
*/
with owned as (
    select service, list(distinct lower(team)) as teams
    from core.tenure
    where valid_until = 'infinity'
    group by service
)

select f.scope_id, t.service
from config.service_scope as f
cross join core.service_trait as t
left join owned as o using (service)
where (len(f.kinds) = 0 or list_contains(f.kinds, lower(t.kind)))
    and (len(f.tiers) = 0 or list_contains(f.tiers, lower(t.tier)))
    and (len(f.lifecycles) = 0 or list_contains(f.lifecycles, lower(t.lifecycle)))
    and (len(f.teams) = 0 or list_has_any(f.teams, o.teams))
    and (len(f.services) = 0 or len(list_filter(f.services, lambda pattern : lower(t.service) glob pattern)) > 0)
