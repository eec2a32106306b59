/*
description: >-
  Teams of the workspace, and former ones that once had a service.
grain: one row per team
key: [team]
columns:
  team: {type: varchar, description: "Name of the team"}
  parent: {type: varchar, description: "Team it is part of, or last was", nullable: true}
  services: {type: bigint, description: "Services of the team and of those below it, now or formerly"}
*/
with latest as (
    select team, parent from core.team_version where valid_until = 'infinity'
),

spanned as (
    select team, count(distinct service) as services from core.tenure group by team
)

select t.team, v.parent, coalesce(s.services, 0) as services
from core.team as t
left join latest as v using (team)
left join spanned as s using (team)
where not t.is_former or s.services > 0
order by t.team
