/*
description: >-
  Which team each team was part of, and when. What a catalogue's first reading said held before, too, and its
  last word on a team holds on.
grain: one row per team and time
key: [team, valid_from]
columns:
  team: {type: varchar, description: "Name of the team"}
  parent: {type: varchar, description: "Team it was part of; null at the top", nullable: true}
  valid_from: {type: timestamp with time zone, description: "When that began (UTC); -infinity where it always was so"}
  valid_until: {type: timestamp with time zone, description: "When it ended, exclusive (UTC); infinity while it lasts"}
*/
with seen as (
    select
        t.team, p.team as parent, v.seen_from,
        row_number() over (partition by t.team order by v.seen_from nulls first) = 1 as is_first
    from core.team as t
    inner join history.team as v on v.source = t.source and v.id = t.id
    left join core.team as p on p.source = v.source and p.id = v.parent
    union all
    select team, parent, null, true
    from config.team
    where source is null
)

select
    team,
    parent,
    if(is_first, '-infinity', seen_from) as valid_from,
    lead(seen_from, 1, 'infinity') over (partition by team order by seen_from nulls first) as valid_until
from seen
