/*
description: >-
  Which team owned which service when. Records go before the catalogue, what was read before what is assumed;
  before the first known owner it is assumed to have been the same.
grain: one row per service, team and time
key: [service, team, valid_from]
columns:
  service: {type: varchar, description: "Name of the service"}
  team: {type: varchar, description: "Team that owned it; several may at once"}
  valid_from: {type: timestamp with time zone, description: "When that began (UTC); -infinity where it always was so"}
  valid_until: {type: timestamp with time zone, description: "When it ended, exclusive (UTC); infinity while it lasts"}
  is_assumed: {type: boolean, description: "No source says so of that time; the next known owner is taken"}
*/
with fact as (
    select service, team, valid_from, valid_until, rank
    from core.ownership_fact
    where service is not null and team is not null
),

boundary as (
    select service, unnest(['-infinity'::timestamptz, valid_from, valid_until, 'infinity']) as moment from fact
),

span as (
    select service, moment as valid_from, lead(moment) over (partition by service order by moment) as valid_until
    from (select distinct service, moment from boundary)
    qualify valid_until is not null
),

first_known as (
    select service, min(valid_from) as moment from fact where rank < 2 group by service
),

held as (
    select s.service, s.valid_from, s.valid_until, f.team, min(f.rank) as rank
    from span as s
    inner join fact as f
        on f.service = s.service and f.valid_from <= s.valid_from and f.valid_until >= s.valid_until
    left join first_known as k on k.service = s.service
    where f.rank < 2 or s.valid_from >= coalesce(k.moment, '-infinity')
    group by s.service, s.valid_from, s.valid_until, f.team
    qualify min(f.rank) = min(min(f.rank)) over (partition by s.service, s.valid_from)
),

extended as (
    select service, team, valid_from, valid_until, rank = 2 as is_assumed
    from held
    union all
    select service, team, '-infinity'::timestamptz, valid_from, true
    from held
    qualify valid_from = min(valid_from) over (partition by service) and valid_from > '-infinity'
),

island as (
    select
        *, valid_from is distinct from
            lag(valid_until) over (partition by service, team, is_assumed order by valid_from) as begins
    from extended
)

select
    service, team, min(valid_from) as valid_from, max(valid_until) as valid_until, is_assumed
from (
    select *, count_if(begins) over (partition by service, team, is_assumed order by valid_from) as number
    from island
)
group by service, team, is_assumed, number
