/*
description: Teams of the workspace.
grain: one row per team
key: [team]
columns:
  team: {type: varchar, description: "Name of the team"}
  parent: {type: varchar, description: "Team it is part of", nullable: true}
  services: {type: bigint, description: "Services of the team and of those below it"}
*/
select t.team, t.parent, count(r.service) as services
from config.team as t
left join core.roll_up as r on r.level = 'team' and r.key = t.team
group by all
order by t.team
