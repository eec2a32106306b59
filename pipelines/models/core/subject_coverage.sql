/*
description: >-
  Until when each subject's sources were read: what last fed its commits, its deployments, its incidents and its runs.
grain: one row per level and key
key: [level, key]
columns:
  level: {type: varchar, description: "Level of the figures", accepted: [service, repository, tenure]}
  key: {type: varchar, description: "Name of the service or repository, or of a service in a team"}
  delivery_until: {type: timestamp with time zone, description: "Commits and deployments before it were read (UTC)"}
  failure_until: {type: timestamp with time zone, description: "Deployments before it had the failure window, all of it read, to fail in (UTC)"}
  ci_until: {type: timestamp with time zone, description: "Runs before it were read (UTC)"}
*/
with scope as (
    select c.source, c.scope, c.covered_until from raw.coverage as c inner join config.source using (source)
),

-- A job that deploys no more is not waited for: only what recorded a repository's last deployment or run.
deployed as (
    select l.at_source as source, l.repository_id, d.source as by_source, arg_max(s.covered_until, d.created_at) as covered_until
    from core.located_deployment as l
    inner join raw.deployment as d using (source, id)
    inner join scope as s on s.source = d.source and s.scope = d.scope
    where l.repository_id is not null
    group by all
),

ran as (
    select
        a.source, a.repository_id, r.source as by_source,
        arg_max(s.covered_until, r.queued_at) as covered_until
    from raw.pipeline_run as r
    inner join core.repository_address as a
        on r.repository is null and a.address = repository_address(r.repository_url)
    inner join scope as s on s.source = r.source and s.scope = r.scope
    group by all
),

incident as (
    select min(covered_until) as covered_until
    from (
        select source, max(covered_until) as covered_until
        from scope
        semi join raw.incident using (source)
        group by source
    )
),

chain as (
    select
        c.chain_id,
        least(any_value(r.covered_until), min(d.covered_until)) as delivery_until,
        least(any_value(r.covered_until), min(n.covered_until)) as ci_until
    from core.chain as c
    inner join core.repository as r using (source, repository_id)
    left join deployed as d using (source, repository_id)
    left join ran as n using (source, repository_id)
    group by c.chain_id
)

select
    s.level, s.key,
    min(c.delivery_until) as delivery_until,
    least(min(c.delivery_until), any_value(i.covered_until))
    - to_seconds(any_value(w.failure_window_seconds)) as failure_until,
    min(c.ci_until) as ci_until
from core.subject as s
inner join chain as c using (chain_id)
cross join incident as i
cross join config.workspace as w
group by s.level, s.key
