/*
description: >-
  When each service met what a check or a migration asks: a state was there, or an event no longer ago than the cadence.
grain: one row per capability, service, what is asked, and time
key: [capability, service, asked, held_from]
needs: config.service_scope
columns:
  capability: {type: varchar, description: "Capability, or `check:` and a check's name"}
  service: {type: varchar, description: "Name of the service"}
  asked: {type: varchar, description: "To have it; in a known version; in the newest of the time or the one before", accepted: [any, versioned, current]}
  held_from: {type: date, description: "First local day"}
  held_until: {type: date, description: "Local day after the last; infinity while it lasts"}
*/
-- A version is outdated as soon as there are two newer ones.
with line as (
    select
        capability, ordinal,
        coalesce(min(coalesce(released_on, '-infinity')) over (
            partition by capability order by ordinal rows between 2 following and unbounded following
        ), 'infinity') as outdated_on
    from core.capability_version
),

held as (
    select capability, service, 'any' as asked, used_from as held_from, held_until from core.capability_use
    union all
    select capability, service, 'versioned', used_from, held_until
    from core.capability_use
    where version_ordinal is not null
    union all
    select u.capability, u.service, 'current', u.used_from, least(u.held_until, l.outdated_on)
    from core.capability_use as u
    inner join line as l on l.capability = u.capability and l.ordinal = u.version_ordinal
    where u.used_from < least(u.held_until, l.outdated_on)
),

marked as (
    select *, held_from > max(held_until) over (
            partition by capability, service, asked order by held_from, held_until
            rows between unbounded preceding and 1 preceding
        ) as begins
    from (select distinct * from held)
)

select capability, service, asked, min(held_from) as held_from, max(held_until) as held_until
from (
    select
        *, count_if(coalesce(begins, true)) over (
            partition by capability, service, asked order by held_from, held_until
            rows between unbounded preceding and current row
        ) as number
    from marked
)
group by capability, service, asked, number
