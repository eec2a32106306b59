/*
description: How many of the services that could use a capability do.
metric:
  area: adoption
  title: Reach
  unit: ratio
  definition: >-
    Services with a value event or a state of the capability in its cadence up to the end of the period / eligible
    services with a commit in the 90 days up to it. Dormant services are in neither, and counted apart. Without a
    capability, services that use any of those they are eligible for.
  better: higher
  estimate: rate_as_of
*/
select
    offer, service, valid_from, valid_until,
    case kind when 'active' then 'one' when 'using' then 'hit' else 'dormant' end as part,
    1 as weight
from core.adoption_life
where not starts_with(offer, 'migration:')
