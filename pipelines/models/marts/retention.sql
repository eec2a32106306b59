/*
description: Whether services that took something up still use it.
metric:
  area: adoption
  title: Retention
  unit: ratio
  definition: >-
    Of the services that first used the capability in the period, those that use it 90 days after / those of them with a
    commit in the 90 days up to then. Only periods that ended 90 days ago have a figure. Services whose use was under way
    when it was first looked for, and dormant ones, are left out and counted.
  better: higher
  estimate: rate
  matures: 90
*/
select
    a.offer, a.service, null as team, a.used_from as day,
    case
        when a.is_start_unknown then 'unknown_start'
        when bool_or(l.kind = 'active') is null then 'dormant'
        when not bool_or(l.kind = 'active') then 'dormant'
    end as left_out,
    coalesce(bool_or(l.kind = 'using'), false) as hit
from core.adoption as a
inner join core.offer as o on o.offer = a.offer and o.service = a.service and a.used_from >= o.valid_from
left join core.adoption_life as l
    on l.offer = a.offer and l.service = a.service and l.valid_from <= a.used_from + 90
    and l.valid_until > a.used_from + 90
where a.is_first
group by a.offer, a.service, a.used_from, a.is_start_unknown
