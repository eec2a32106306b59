/*
description: >-
  When there was each service, and when it was active: with a commit on that day or in the 89 before. It begins with its
  first commit, and ends with the day on which the last of its repositories was seen to be archived.
grain: one row per service and time
key: [service, valid_from]
needs: config.service_scope
columns:
  service: {type: varchar, description: "Name of the service"}
  valid_from: {type: date, description: "First local day"}
  valid_until: {type: date, description: "Local day after the last; infinity while it lasts"}
  is_active: {type: boolean, description: "Active; else dormant"}
*/
with committed as (
    select distinct service, day from core.service_work where work = 'commit'
),

-- One that was archived before it was first read was no longer worked on after its last commit.
archived as (
    select m.service, max(coalesce(local_date(v.seen_from), l.day + 1)) as archived_on
    from core.service_repository as m
    inner join core.service_trait as t on t.service = m.service and t.is_archived
    inner join (select service, max(day) as day from committed group by service) as l on l.service = m.service
    left join history.repository as v
        on v.source = m.source and v.id = m.repository_id and v.archived and v.seen_until is null
    group by m.service
),

spell as (
    select service, min(day) as active_from, max(day) + 90 as dormant_from
    from (
        select *, count_if(coalesce(begins, true)) over (partition by service order by day) as number
        from (
            select *, day > lag(day) over (partition by service order by day) + 90 as begins from committed
        )
    )
    group by service, number
),

piece as (
    select service, active_from as valid_from, dormant_from as valid_until, true as is_active from spell
    union all
    select service, dormant_from, lead(active_from, 1, 'infinity') over (partition by service order by active_from), false
    from spell
)

select
    p.service, p.valid_from, least(p.valid_until, coalesce(a.archived_on, 'infinity')) as valid_until, p.is_active
from piece as p
left join archived as a using (service)
where p.valid_from < least(p.valid_until, coalesce(a.archived_on, 'infinity'))
