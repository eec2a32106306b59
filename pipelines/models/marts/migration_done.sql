/*
description: How far a migration is.
metric:
  area: adoption
  title: Migration done
  unit: ratio
  definition: >-
    Services that have the new at the end of the period and no longer the old / services in scope, with a commit in the
    90 days up to it: those that had the old since the migration started. Dormant ones are left out and counted.
  better: higher
  estimate: rate_as_of
*/
with life as (
    select * from core.adoption_life where starts_with(offer, 'migration:') and kind <> 'using'
)

select offer, service, valid_from, valid_until, if(kind = 'active', 'one', 'dormant') as part, 1 as weight
from life
union all
select l.offer, l.service, greatest(l.valid_from, d.done_from), least(l.valid_until, d.done_until), 'hit', 1
from life as l
inner join core.migration_state as d
    on d.offer = l.offer and d.service = l.service and d.done_from < l.valid_until and d.done_until > l.valid_from
where l.kind = 'active'
