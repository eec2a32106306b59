/*
description: Teams of the workspace, those included that its catalogue had and has no longer.
grain: one row per team
key: [team]
columns:
  team: {type: varchar, description: "Name; its id where another team has the same"}
  source: {type: varchar, description: "Source that tells of it; null where the workspace lists it", nullable: true}
  id: {type: varchar, description: "Id within the source; the name where the workspace lists it"}
  is_former: {type: boolean, description: "The catalogue has it no longer"}
*/
with former as (
    select source, id, max_by(name, seen_until) as name
    from history.team as h
    where source in (select source from config.team) and not exists (
        from config.team as c where c.source = h.source and c.id = h.id
    )
    group by source, id
)

select team, source, coalesce(id, team) as id, false as is_former
from config.team
union all
select
    if(count(*) over (partition by name) > 1 or name in (select team from config.team), id, name), source, id, true
from former
