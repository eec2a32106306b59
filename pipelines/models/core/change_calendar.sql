/*
description: >-
  By whose working days a pull request is measured: those of the team that owned its service when it was
  merged; the workspace's where there is no owner, or several whose days differ.
grain: one row per change that is a pull request
key: [change_key]
by: [change_key]
touched:
  core.change: [change_key]
  core.change_chain: [change_key]
columns:
  change_key: {type: ubigint, description: "Change, as a number"}
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
    select distinct i.change_key
    from core.change_chain as i
    -- refresh: semi join touched using (change_key)
    inner join owned as o using (chain_id)
    inner join usual as u on u.calendar <> o.calendar
),

agreed as (
    select c.change_key, min(o.calendar) as calendar
    from core.change as c
    inner join unusual using (change_key)
    inner join core.change_chain as i using (change_key)
    inner join owned as o
        on o.chain_id = i.chain_id and during(c.merged_at, o.valid_from, o.valid_until)
    where c.is_pull_request
    group by c.change_key
    having count(distinct o.calendar) = 1
)

select c.change_key, coalesce(a.calendar, u.calendar) as calendar
from core.change as c
-- refresh: semi join touched using (change_key)
cross join usual as u
left join agreed as a using (change_key)
where c.is_pull_request
