/*
description: How many of the services that use a capability are up to date.
metric:
  area: adoption
  title: Currency
  unit: ratio
  definition: >-
    Active services on the newest version of the capability at the end of the period, or on the one before / those
    that have it in a known version. Services that have it in no known version are left out and counted.
  better: higher
  estimate: rate_as_of
*/
with held as (
    select l.offer, l.service, h.asked, greatest(l.valid_from, h.held_from) as valid_from, least(l.valid_until, h.held_until) as valid_until
    from core.adoption_life as l
    inner join core.capability_hold as h on 'capability:' || h.capability = l.offer and h.service = l.service
    where l.kind = 'active' and h.capability in (select capability from core.capability_version)
)

select
    offer, service, valid_from, valid_until,
    case asked when 'versioned' then 'one' when 'current' then 'hit' else 'unknown_version' end as part,
    1 as weight
from held
union all
select offer, service, valid_from, valid_until, 'unknown_version', -1 from held where asked = 'versioned'
