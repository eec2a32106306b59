/*
description: Whether more services come than go.
metric:
  area: adoption
  title: Quick ratio
  unit: ratio
  definition: >-
    Services that first used the capability in the period or came back to it / services whose cadence passed in it without
    another use, of those active that day. None without a loss. Services whose use was under way when it was first
    looked for did not come then: they are left out and counted.
  better: higher
  estimate: quick_ratio
*/
with turn as (
    select offer, service, used_from as day, true as hit, if(is_start_unknown, 'unknown_start', null) as left_out
    from core.adoption
    union all
    select offer, service, lapses_on, false, null
    from core.adoption
    where lapses_on < 'infinity' and not is_retired
)

select t.offer, t.service, null as team, t.day, t.hit, t.left_out
from turn as t
inner join core.adoption_life as l
    on l.offer = t.offer and l.service = t.service and l.kind = 'active' and t.day >= l.valid_from
    and t.day < l.valid_until
where t.day <= (select max(as_of) from marts.adoption_period)
