/*
description: >-
  By whose working days a pull request is measured: those of the team that owned its service when it was
  merged; the workspace's where there is no owner, or several whose days differ.
grain: one row per change that is a pull request
key: [change_id]
by: [change_id]
touched:
  core.change: [change_id]
  core.change_chain: [change_id]
columns:
  change_id: {type: varchar, description: "Change"}
  calendar: {type: varchar, description: "As in core.calendar"}
*/
with usual as (
    select calendar from core.calendar where team is null
),

owned as (
    select distinct s.chain_id, coalesce(t.calendar, u.calendar) as calendar, o.valid_from, o.valid_until
    from core.subject as s
    inner join core.ownership as o using (service)
    left join core.calendar as t using (team)
    cross join usual as u
    where s.level = 'service'
),

-- All others have the workspace's, whoever owns them.
unusual as (
    select distinct i.change_id
    from core.change_chain as i
    -- refresh: semi join touched using (change_id)
    inner join owned as o using (chain_id)
    inner join usual as u on u.calendar <> o.calendar
),

agreed as (
    select c.change_id, min(o.calendar) as calendar
    from core.change as c
    inner join unusual using (change_id)
    inner join core.change_chain as i using (change_id)
    inner join owned as o
        on o.chain_id = i.chain_id and during(c.merged_at, o.valid_from, o.valid_until)
    where c.is_pull_request
    group by c.change_id
    having count(distinct o.calendar) = 1
)

select c.change_id, coalesce(a.calendar, u.calendar) as calendar
from core.change as c
-- refresh: semi join touched using (change_id)
cross join usual as u
left join agreed as a using (change_id)
where c.is_pull_request
