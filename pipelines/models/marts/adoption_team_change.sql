/*
description: >-
  Teams whose first service took up a capability, and teams whose last one left it; by the services that they own and
  that three people or more worked on. What changes because a service has changed hands is told, too.
grain: one row per capability, team and change
key: [capability, team, changed_on]
needs: config.service_scope
columns:
  capability: {type: varchar, description: "Name of the capability"}
  team: {type: varchar, description: "Team that owns the services itself"}
  changed_on: {type: date, description: "Local day"}
  change: {type: varchar, description: "What changed", accepted: [adopted, left]}
  services: {type: bigint, description: "Services of the team that used it from that day, or up to it"}
  instead: {type: 'varchar[]', description: "Capabilities of the same kind that the team used on the day it left"}
*/
with used as (
    select
        l.offer, o.team, l.service,
        greatest(l.valid_from, if(o.valid_from = '-infinity', '-infinity', local_date(o.valid_from))) as valid_from,
        least(l.valid_until, if(o.valid_until = 'infinity', 'infinity', local_date(o.valid_until))) as valid_until,
        l.is_start_unknown and l.valid_from = l.used_from as is_start_unknown
    from core.adoption_life as l
    inner join core.ownership as o using (service)
    semi join core.shown_service as g
        on g.offer = l.offer and g.service = l.service and g.valid_from < l.valid_until and g.valid_until > l.valid_from
    where l.kind = 'using' and starts_with(l.offer, 'capability:')
),

marked as (
    select
        *, valid_from > max(valid_until) over (
            partition by offer, team order by valid_from, valid_until, service rows between unbounded preceding and 1 preceding
        ) as begins
    from used
    where valid_from < valid_until
),

spell as (
    select
        offer, team, min(valid_from) as valid_from, max(valid_until) as valid_until, count(distinct service) as services,
        arg_min(is_start_unknown, (valid_from, not is_start_unknown)) as is_start_unknown
    from (
        select
            *, count_if(coalesce(begins, true)) over (
                partition by offer, team order by valid_from, valid_until, service
                rows between unbounded preceding and current row
            ) as number
        from marked
    )
    group by offer, team, number
),

turn as (
    select offer, team, valid_from as changed_on, 'adopted' as change, services from spell where not is_start_unknown
    union all
    select offer, team, valid_until, 'left', services from spell where valid_until < 'infinity'
),

other as (
    select t.offer, t.team, t.changed_on, list(distinct c.capability order by c.capability) as instead
    from turn as t
    inner join config.capability as own on t.offer = 'capability:' || own.capability
    inner join config.capability as c on c.kind = own.kind and c.capability <> own.capability
    inner join used as u
        on u.offer = 'capability:' || c.capability and u.team = t.team and u.valid_from <= t.changed_on
        and u.valid_until > t.changed_on
    where t.change = 'left'
    group by all
)

select
    substr(t.offer, 12) as capability, t.team, t.changed_on, t.change, t.services, coalesce(i.instead, []) as instead
from turn as t
left join other as i using (offer, team, changed_on)
where t.changed_on <= (select max(as_of) from marts.adoption_period)
order by capability, t.changed_on, t.team
