/*
description: Whether services that did all that is asked of them still do.
metric:
  area: adoption
  title: Still conformant after 90 days
  unit: ratio
  definition: >-
    Services that pass every check asked of them at the end of the period / services that did 90 days before it and
    still have a commit in the 90 days up to it. Those that have none are left out and counted.
  better: higher
  estimate: rate_as_of
*/
with conformant as (
    select service, valid_from, valid_until from core.conformance where passed = asked
),

then_so as (
    select service, (valid_from + 90)::date as valid_from, if(valid_until = 'infinity', valid_until, (valid_until + 90)::date) as valid_until
    from conformant
),

life as (
    select
        t.service, l.is_active, greatest(t.valid_from, l.valid_from) as valid_from,
        least(t.valid_until, l.valid_until) as valid_until
    from then_so as t
    inner join core.service_life as l using (service)
    where greatest(t.valid_from, l.valid_from) < least(t.valid_until, l.valid_until)
)

select 'platform' as offer, service, valid_from, valid_until, if(is_active, 'one', 'dormant') as part, 1 as weight
from life
union all
select 'platform', l.service, greatest(l.valid_from, c.valid_from), least(l.valid_until, c.valid_until), 'hit', 1
from life as l
inner join conformant as c
    on c.service = l.service and c.valid_from < l.valid_until and c.valid_until > l.valid_from
where l.is_active
