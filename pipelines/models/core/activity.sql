/*
description: The first and the last day on which anything is known to have happened to a subject.
grain: one row per level and key
key: [level, key]
columns:
  level: {type: varchar, description: "Level of the figures", accepted: [service, repository, tenure]}
  key: {type: varchar, description: "Name of the service or repository, or of a service in a team"}
  first_day: {type: date, description: "Local day"}
  last_day: {type: date, description: "Local day"}
  is_deployed: {type: boolean, description: "A deployment is among it"}
*/
with home as materialized (
    select
        c.chain_id, c.source, c.repository_id, r.covered_until,
        c.chain_id in (select chain_id from core.subject where level = 'tenure') as has_tenure
    from core.chain as c
    inner join core.repository as r using (source, repository_id)
),

-- Many rows are grouped by what they lie by: to join each of them first takes five times as long.
span as materialized (
    select h.chain_id, s.first_at, s.last_at, s.last_at > h.covered_until as is_ahead
    from (
        select source, repository_id, min(committed_at) as first_at, max(committed_at) as last_at
        from core.commit
        group by source, repository_id
        union all
        select
            source, repository, least(min(opened_at), min(merged_at), min(closed_at)),
            greatest(max(opened_at), max(merged_at), max(closed_at))
        from raw.pull_request
        group by source, repository
    ) as s
    inner join home as h using (source, repository_id)
    union all
    select h.chain_id, s.first_at, s.last_at, s.last_at > h.covered_until
    from (
        select chain_id, min(counted_at) as first_at, max(counted_at) as last_at from core.run group by chain_id
    ) as s
    inner join home as h using (chain_id)
),

-- What is dated after all that is known, by a clock that is wrong, does not count, but what is before it does.
single as (
    select *, chain_id in (select chain_id from span where is_ahead) as is_ahead
    from home
    where has_tenure or is_ahead
),

moment as not materialized (
    select chain_id, has_tenure, is_ahead, moment, false as is_deployment
    from (
        select h.*, c.committed_at as moment
        from core.commit as c
        inner join single as h using (source, repository_id)
        union all
        select h.*, unnest([p.opened_at, p.merged_at, p.closed_at])
        from raw.pull_request as p
        inner join single as h on h.source = p.source and h.repository_id = p.repository
        union all
        select h.*, r.counted_at
        from core.run as r
        inner join single as h using (chain_id)
    )
    where moment <= covered_until
    union all
    select d.chain_id, h.has_tenure, false, d.finished_at, true
    from core.chain_deployment as d
    inner join home as h using (chain_id)
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
    inner join home as h on h.source = i.at_source and h.repository_id = i.repository_id
    where i.service is null and i.opened_at <= h.covered_until
),

by_chain as (
    select chain_id, min(first_at) as first_at, max(last_at) as last_at, bool_or(is_deployed) as is_deployed
    from (
        select chain_id, first_at, last_at, false as is_deployed from span where not is_ahead
        union all
        select chain_id, moment, moment, is_deployment from moment where is_ahead or is_deployment
    )
    group by chain_id
),

spanned as (
    select s.level, s.key, c.first_at, c.last_at, c.is_deployed
    from by_chain as c
    inner join core.subject as s using (chain_id)
    where s.level <> 'tenure'
    union all
    select s.level, s.key, i.moment, i.moment, false
    from incident as i
    inner join core.subject as s
        on s.chain_id = i.chain_id and (s.level = 'repository' or s.service = coalesce(i.service, s.service))
    where s.level <> 'tenure'
    union all
    select s.level, s.key, m.moment, m.moment, m.is_deployment
    from (
        select chain_id, null as service, moment, is_deployment from moment where has_tenure
        union all
        select chain_id, service, moment, false from incident
    ) as m
    inner join core.subject as s
        on s.level = 'tenure' and s.chain_id = m.chain_id and s.service = coalesce(m.service, s.service)
        and during(m.moment, s.valid_from, s.valid_until)
)

select
    level, key, local_date(min(first_at)) as first_day, local_date(max(last_at)) as last_day,
    bool_or(is_deployed) as is_deployed
from spanned
group by level, key
