/*
description: Days on which anything is known to have happened to a subject.
grain: one row per level, key, day and whether there was a deployment
key: [level, key, day, is_deployment]
columns:
  level: {type: varchar, description: "Level of the figures", accepted: [service, repository, tenure]}
  key: {type: varchar, description: "Name of the service or repository, or of a service in a team"}
  day: {type: date, description: "Local day"}
  is_deployment: {type: boolean, description: "A deployment finished on it"}
*/
with happened as (
    select h.chain_id, c.committed_at as moment
    from core.commit as c
    inner join core.chain as h using (source, repository_id)
    union all
    select h.chain_id, unnest([p.opened_at, p.merged_at, p.closed_at])
    from raw.pull_request as p
    inner join core.chain as h on h.source = p.source and h.repository_id = p.repository
    union all
    select chain_id, counted_at from core.run
),

moment as (
    select m.chain_id, m.moment, false as is_deployment
    from happened as m
    inner join core.chain as h using (chain_id)
    inner join core.repository as r using (source, repository_id)
    where m.moment <= r.covered_until
    union all
    select chain_id, finished_at, true from core.chain_deployment
),

-- Of a service's own; of all of a repository where only that is known.
incident as (
    select h.chain_id, i.service, i.opened_at as moment
    from core.incident as i
    inner join core.service_repository as m using (service)
    inner join core.chain as h
        on h.source = m.source and h.repository_id = m.repository_id and (h.service is null or h.service = i.service)
    inner join core.repository as r on r.source = m.source and r.repository_id = m.repository_id
    where i.opened_at <= r.covered_until
    union all
    select h.chain_id, null, i.opened_at
    from core.incident as i
    inner join core.repository as r on r.source = i.at_source and r.repository_id = i.repository_id
    inner join core.chain as h on h.source = r.source and h.repository_id = r.repository_id
    where i.service is null and i.opened_at <= r.covered_until
),

-- A tenure cuts days in two, so only there each moment counts.
by_day as (
    select chain_id, local_date(moment) as day, is_deployment from moment group by all
)

select s.level, s.key, d.day, d.is_deployment
from by_day as d
inner join core.subject as s using (chain_id)
where s.level <> 'tenure'
union
select s.level, s.key, local_date(i.moment), false
from incident as i
inner join core.subject as s
    on s.chain_id = i.chain_id and (s.level = 'repository' or s.service = coalesce(i.service, s.service))
where s.level <> 'tenure'
union
select s.level, s.key, local_date(m.moment), m.is_deployment
from (
    select chain_id, null as service, moment, is_deployment from moment
    union all
    select chain_id, service, moment, false from incident
) as m
inner join core.subject as s
    on s.level = 'tenure' and s.chain_id = m.chain_id and s.service = coalesce(m.service, s.service)
    and during(m.moment, s.valid_from, s.valid_until)
