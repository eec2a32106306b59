/*
description: Which services each level above a service spans; a team spans those of the teams below it.
grain: one row per level, key and service
key: [level, key, service]
columns:
  level: {type: varchar, description: "Level above a service", accepted: [organisation, team]}
  key: {type: varchar, description: "Name of the organisation or team"}
  service: {type: varchar, description: "Name of the service"}
*/
with recursive within as (
    select team as ancestor, team from config.team
    union
    select t.parent, w.team
    from within as w
    inner join config.team as t on t.team = w.ancestor
    where t.parent is not null
)

select 'organisation' as level, w.organisation as key, s.service
from core.service as s
cross join config.workspace as w
union all
select 'team', w.ancestor, s.service
from core.service as s
inner join within as w using (team)
