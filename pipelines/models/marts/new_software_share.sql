/*
description: How much of what is new begins on the paved road.
metric:
  area: adoption
  title: New software from templates
  unit: ratio
  definition: >-
    Services made from one of the templates that a capability `creates` / services whose first commit is in the period:
    the template's run or trace was seen within 30 days of that commit. Where a trace was there when it was first looked
    for, nobody knows since when: these are left out and counted. Without a capability, any such template.
  better: higher
  estimate: rate
*/
with golden as (
    select 'capability:' || capability as offer, creates from config.capability where len(creates) > 0
),

made as (
    select distinct g.offer, e.service, e.observed_on, e.is_start_unknown
    from core.capability_evidence as e
    inner join golden as g on g.offer = 'capability:' || e.capability
    inner join config.capability_rule as r using (rule_id)
    where e.service is not null and r.kind = 'template' and (e.kind = 'present' or e.result = 'success')
),

begun as (
    select service, min(valid_from) as day from core.service_life group by service
),

offered as (
    select o.* from core.offer as o semi join golden using (offer)
),

judged as (
    select
        o.offer, b.service, b.day,
        coalesce(bool_or(not m.is_start_unknown and abs(m.observed_on - b.day) <= 30), false) as hit,
        coalesce(bool_or(m.is_start_unknown), false) as is_unknown
    from begun as b
    inner join offered as o on o.service = b.service and b.day >= o.valid_from and b.day < o.valid_until
    left join made as m on m.offer = o.offer and m.service = b.service
    group by all
),

every as (
    from judged
    union all
    select 'platform', service, day, bool_or(hit), bool_or(is_unknown) from judged group by service, day
)

select offer, service, null as team, day, hit, if(is_unknown and not hit, 'unknown_start', null) as left_out
from every
