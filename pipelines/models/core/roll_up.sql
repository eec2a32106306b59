/*
description: >-
  Which services each level above a service spans; a team spans those of the teams that were below it, and of
  one that was not in it all the time only that time, its tenure.
grain: one row per level, key and member
key: [level, key, member_level, member]
columns:
  level: {type: varchar, description: "Level above a service", accepted: [organisation, team]}
  key: {type: varchar, description: "Name of the organisation or team"}
  member_level: {type: varchar, description: "Level of the member", accepted: [service, tenure]}
  member: {type: varchar, description: "Key of the member at that level"}
*/
select 'organisation' as level, w.organisation as key, 'service' as member_level, s.service as member
from core.service as s
cross join config.workspace as w
union all
select distinct
    'team', team, if(is_whole, 'service', 'tenure'), if(is_whole, service, service || ' in ' || team)
from core.tenure
