/*
description: How many active services have each capability in which version, as of the last day that was read.
grain: one row per capability and version
key: [capability, version]
needs: config.service_scope
columns:
  capability: {type: varchar, description: "Name of the capability"}
  version: {type: varchar, description: "Version; null for services without a known one", nullable: true}
  ordinal: {type: bigint, description: "From 1; the newest is the greatest", nullable: true}
  is_current: {type: boolean, description: "The newest or the one before"}
  services: {type: bigint, description: "Number of services; null where withheld", nullable: true}
*/
with today as (
    select max(as_of) as day from marts.adoption_period
),

own as (
    select l.offer, l.service, max(u.version_ordinal) as ordinal
    from core.adoption_life as l
    cross join today as t
    inner join core.capability_use as u
        on l.offer = 'capability:' || u.capability and u.service = l.service
        and u.used_from <= t.day and u.held_until > t.day
    where l.kind = 'active' and l.valid_from <= t.day and l.valid_until > t.day
    group by l.offer, l.service
),

released as (
    select v.capability, v.version, v.ordinal
    from core.capability_version as v
    cross join today as t
    where coalesce(v.released_on, '-infinity') <= t.day
),

every as (
    select capability, version, ordinal, ordinal >= max(ordinal) over (partition by capability) - 1 as is_current
    from released
    union all
    select distinct capability, null, null, false from released
)

select
    e.capability, e.version, e.ordinal, e.is_current,
    if(bool_or(g.is_suppressed), null, count(o.service)) as services
from every as e
cross join today as t
inner join marts.adoption_group as g
    on g.offer = 'capability:' || e.capability and g.level = 'organisation'
    and g.valid_from <= t.day and g.valid_until > t.day
left join own as o on o.offer = g.offer and o.ordinal is not distinct from e.ordinal
group by e.capability, e.version, e.ordinal, e.is_current
having e.version is not null or count(o.service) > 0
order by e.capability, e.ordinal nulls first
