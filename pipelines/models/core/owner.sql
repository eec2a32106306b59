/*
description: >-
  The one team that is named where there is room for one: of those that own a service at once the first by
  name. Every service has one row for every moment.
grain: one row per service and time
key: [service, valid_from]
columns:
  service: {type: varchar, description: "Name of the service"}
  team: {type: varchar, description: "Team that owned it; null while none is known to have", nullable: true}
  valid_from: {type: timestamp with time zone, description: "When that began (UTC); -infinity where it always was so"}
  valid_until: {type: timestamp with time zone, description: "When it ended, exclusive (UTC); infinity while it lasts"}
*/
with boundary as (
    select service, '-infinity'::timestamptz as moment from core.service
    union
    select service, unnest([valid_from, valid_until]) from core.ownership
),

span as (
    select service, moment as valid_from, lead(moment) over (partition by service order by moment) as valid_until
    from boundary
)

select s.service, min(o.team) as team, s.valid_from, coalesce(s.valid_until, 'infinity') as valid_until
from span as s
left join core.ownership as o
    on o.service = s.service and o.valid_from <= s.valid_from and o.valid_until > s.valid_from
where s.valid_from < 'infinity'
group by s.service, s.valid_from, s.valid_until
