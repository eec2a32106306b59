/*
description: Which rollout each event in production is part of.
grain: one row per event and environment
key: [event_id, environment]
by: [event_id, environment]
touched:
  core.production_event: >-
    select event_id, environment
    from core.production_event
    semi join (
        select unit, version
        from core.production_event
        semi join (
            select event_id from changed
            union all
            select event_id from core.production_event semi join changed using (unit, version)
        ) using (event_id)
    ) using (unit, version)
    union all
    select event_id, environment from changed
columns:
  event_id: {type: varchar, description: "Source and what names it there"}
  environment: {type: varchar, description: "Environment reached"}
  deployment_id: {type: varchar, description: "The first event of its rollout"}
*/
with event as (
    select distinct event_id, environment, unit, version, finished_at
    from core.production_event
    -- refresh: semi join (
    -- refresh:     select unit, version
    -- refresh:     from core.production_event
    -- refresh:     semi join (select event_id from touched where is_any(event_id)) using (event_id)
    -- refresh: ) using (unit, version)
),

-- Nearly all versions reach every environment once and soon: no order to walk in.
at_once as (
    select
        unit, version,
        count(*) = count(distinct environment) and max(finished_at) - min(finished_at) <= interval 24 hour as is_one,
        min((finished_at, event_id, environment)) as opened_by
    from event
    group by unit, version
),

numbered as (
    select e.*, row_number() over (partition by unit, version order by finished_at, event_id, environment) as n
    from event as e
    inner join at_once using (unit, version)
    where not is_one
),

walked as (
    with recursive walk as (
        select
            unit, version, n, event_id, environment, (finished_at, event_id, environment) as opened_by,
            finished_at as began, [environment] as reached
        from numbered
        where n = 1
        union all
        select
            unit, version, n, event_id, environment,
            if(is_another, (finished_at, event_id, environment), opened_by),
            if(is_another, finished_at, began),
            if(is_another, [environment], list_append(reached, environment))
        from (
            select
                e.*, w.opened_by, w.began, w.reached,
                list_contains(w.reached, e.environment) or e.finished_at > w.began + interval 24 hour as is_another
            from walk as w
            inner join numbered as e on e.unit = w.unit and e.version = w.version and e.n = w.n + 1
        )
    )
    select event_id, environment, opened_by from walk
),

opened as (
    select e.event_id, e.environment, o.opened_by
    from event as e
    inner join at_once as o using (unit, version)
    where o.is_one
    union all
    select event_id, environment, opened_by
    from walked
),

-- One event that reaches another environment later, or with other repositories, opens another rollout.
named as (
    select
        opened_by,
        opened_by[2] || case
            when row_number() over (partition by opened_by[2] order by opened_by) > 1 then '@' || opened_by[3]
            else ''
        end as deployment_id
    from (select distinct opened_by from opened)
)

select event_id, environment, deployment_id
from opened
inner join named using (opened_by)
