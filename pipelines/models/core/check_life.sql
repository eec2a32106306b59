/*
description: >-
  When each check was asked of each active service, and when it passed it: it had what the check asks, which of an event
  means within its cadence. What is not offered yet, or no longer, is not asked.
grain: one row per check, service, kind and time
key: [platform_check, service, kind, valid_from]
needs: config.service_scope
columns:
  platform_check: {type: varchar, description: "Name of the check"}
  service: {type: varchar, description: "Name of the service"}
  kind: {type: varchar, description: "Asked; asked and passed", accepted: [asked, passed]}
  valid_from: {type: date, description: "First local day"}
  valid_until: {type: date, description: "Local day after the last; infinity while it lasts"}
  weight: {type: 'decimal(18,3)', description: "How much it weighs"}
*/
with asked as (
    select
        k.platform_check, k.weight::decimal(18, 3) as weight, l.service, k.capability, k.is_current,
        greatest(l.valid_from, coalesce(c.introduced_on, '-infinity')) as valid_from,
        least(l.valid_until, coalesce(c.retired_on, 'infinity')) as valid_until
    from config.platform_check as k
    inner join core.service_scope as s using (scope_id)
    inner join core.service_life as l using (service)
    left join config.capability as c using (capability)
    where l.is_active
)

select platform_check, service, 'asked' as kind, valid_from, valid_until, weight
from asked
where valid_from < valid_until
union all
select
    a.platform_check, a.service, 'passed', greatest(a.valid_from, h.held_from), least(a.valid_until, h.held_until),
    a.weight
from asked as a
inner join core.capability_hold as h
    on h.capability = a.capability and h.service = a.service and h.asked = if(a.is_current, 'current', 'any')
where greatest(a.valid_from, h.held_from) < least(a.valid_until, h.held_until)
