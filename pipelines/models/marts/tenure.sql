/*
description: >-
  When each service was in which team, to find what is a team's: what happened from `valid_from` to before
  `valid_until`.
grain: one row per service, team and time
key: [service, team, valid_from]
columns:
  service: {type: varchar, description: "Name of the service"}
  subject_key: {type: ubigint, description: "The service as a number, by which what happens to it is stored: `subject_key('service', service)`"}
  team: {type: varchar, description: "Team that owned it, or a team above such a one"}
  is_owner: {type: boolean, description: "The team itself owned it"}
  valid_from: {type: timestamp with time zone, description: "When that began (UTC); -infinity where it always was so"}
  valid_until: {type: timestamp with time zone, description: "When it ended, exclusive (UTC); infinity while it lasts"}
  is_assumed: {type: boolean, description: "No source says so of that time; the next known owner is taken"}
*/
select
    t.service, subject_key('service', t.service) as subject_key, t.team,
    exists (
        from core.ownership as o
        where o.service = t.service and o.team = t.team and o.valid_from < t.valid_until and o.valid_until > t.valid_from
    ) as is_owner,
    t.valid_from, t.valid_until, t.is_assumed
from core.tenure as t
order by t.service, t.team, t.valid_from
