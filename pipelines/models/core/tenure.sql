/*
description: >-
  When each service was in which team: its owners', and those above them at the time.
grain: one row per service, team and time
key: [service, team, valid_from]
columns:
  service: {type: varchar, description: "Name of the service"}
  team: {type: varchar, description: "Team that owned it, or a team above such a one"}
  valid_from: {type: timestamp with time zone, description: "When that began (UTC); -infinity where it always was so"}
  valid_until: {type: timestamp with time zone, description: "When it ended, exclusive (UTC); infinity while it lasts"}
  is_assumed: {type: boolean, description: "No source says so of that time; the next known owner is taken"}
  is_whole: {type: boolean, description: "By this row and the others of both, it always was"}
*/
with recursive within as (
    select service, team, valid_from, valid_until, is_assumed from core.ownership
    union
    select
        w.service, v.parent, greatest(w.valid_from, v.valid_from), least(w.valid_until, v.valid_until), w.is_assumed
    from within as w
    inner join core.team_version as v
        on v.team = w.team and v.valid_from < w.valid_until and v.valid_until > w.valid_from
    where v.parent is not null
),

span as (
    select
        service, team, moment as valid_from,
        lead(moment) over (partition by service, team order by moment) as valid_until
    from (select distinct service, team, unnest([valid_from, valid_until]) as moment from within)
    qualify valid_until is not null
),

held as (
    select s.service, s.team, s.valid_from, s.valid_until, any_value(w.is_assumed) as is_assumed
    from span as s
    inner join within as w
        on w.service = s.service and w.team = s.team and w.valid_from <= s.valid_from and w.valid_until >= s.valid_until
    group by all
),

island as (
    select
        *, valid_from is distinct from
            lag(valid_until) over (partition by service, team, is_assumed order by valid_from) as begins
    from held
),

joined as (
    select
        service, team, min(valid_from) as valid_from, max(valid_until) as valid_until, is_assumed
    from (
        select *, count_if(begins) over (partition by service, team, is_assumed order by valid_from) as number
        from island
    )
    group by service, team, is_assumed, number
),

followed as (
    select
        *, lead(valid_from, 1, 'infinity') over (partition by service, team order by valid_from) as next_from
    from joined
)

select
    service, team, valid_from, valid_until, is_assumed,
    min(valid_from) over w = '-infinity' and bool_and(valid_until = next_from) over w as is_whole
from followed
window w as (partition by service, team)
