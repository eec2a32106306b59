/*
description: When each service in a migration's scope was done with it; it had the new, and no longer the old.
grain: one row per offer, service and time
key: [offer, service, done_from]
needs: config.service_scope
columns:
  offer: {type: varchar, description: "`migration:` and its name"}
  service: {type: varchar, description: "Name of the service"}
  done_from: {type: date, description: "First local day"}
  done_until: {type: date, description: "Local day after the last; infinity while it lasts"}
*/
with moment as (
    select
        'migration:' || m.migration as offer, h.service, h.capability = m.to_capability as is_new,
        unnest([h.held_from, h.held_until]) as day, unnest([1, -1]) as weight
    from config.migration as m
    inner join core.capability_hold as h on h.capability in (m.from_capability, m.to_capability) and h.asked = 'any'
    semi join core.offer as o on o.offer = 'migration:' || m.migration and o.service = h.service
),

running as (
    select
        offer, service, day, lead(day) over so_far as next_day,
        sum(coalesce(sum(weight) filter (is_new), 0)) over so_far > 0
        and sum(coalesce(sum(weight) filter (not is_new), 0)) over so_far = 0 as is_done
    from moment
    group by offer, service, day
    window so_far as (partition by offer, service order by day)
)

select offer, service, day as done_from, next_day as done_until
from running
where is_done
