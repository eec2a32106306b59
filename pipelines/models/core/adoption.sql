/*
description: >-
  Spells of use, from the first value event of a service to the day on which the cadence has passed without another.
grain: one row per offer, service and spell
key: [offer, service, used_from]
needs: config.service_scope
columns:
  offer: {type: varchar, description: "`capability:` and its name, or `platform`: any capability the service is eligible for"}
  service: {type: varchar, description: "Name of the service"}
  used_from: {type: date, description: "Local day of the first use"}
  lapses_on: {type: date, description: "First local day on which it is no longer used; infinity while a state lasts"}
  last_used_on: {type: date, description: "Local day of the last use; infinity while a state lasts"}
  is_start_unknown: {type: boolean, description: "It may have begun before"}
  is_first: {type: boolean, description: "The service's first spell"}
  is_retired: {type: boolean, description: "It ended with the capability"}
*/
with used as (
    select distinct
        'capability:' || u.capability as offer, u.service, u.is_state, u.used_from,
        least(u.used_until, coalesce(c.retired_on, 'infinity')) as used_until,
        least(u.lapses_on, coalesce(c.retired_on, 'infinity')) as lapses_on,
        u.is_start_unknown
    from core.capability_use as u
    inner join config.capability as c using (capability)
    inner join core.service_scope as s on s.scope_id = c.scope_id and s.service = u.service
    where u.used_from < coalesce(c.retired_on, 'infinity')
),

-- A state that was there when it was first looked for is taken to have been there since the last event before it.
marked as (
    select
        *,
        used_from > max(lapses_on) over so_far
        and not (is_start_unknown and not arg_max(is_state, (lapses_on, is_state)) over so_far) as begins
    from used
    window so_far as (
        partition by offer, service order by used_from, lapses_on, is_state, used_until, is_start_unknown
        rows between unbounded preceding and 1 preceding
    )
),

of_capability as (
    select
        offer, service, min(used_from) as used_from, max(lapses_on) as lapses_on, max(used_until) as used_until,
        arg_min(is_start_unknown, (used_from, not is_start_unknown)) as is_start_unknown
    from (
        select
            *, count_if(coalesce(begins, true)) over (
                partition by offer, service order by used_from, lapses_on, is_state, used_until, is_start_unknown
                rows between unbounded preceding and current row
            ) as number
        from marked
    )
    group by offer, service, number
),

of_any as (
    select
        *, used_from > max(lapses_on) over (
            partition by service order by used_from, lapses_on, offer rows between unbounded preceding and 1 preceding
        ) as begins
    from of_capability
),

spell as (
    from of_capability
    union all
    select
        'platform', service, min(used_from), max(lapses_on), max(used_until),
        arg_min(is_start_unknown, (used_from, not is_start_unknown))
    from (
        select
            *, count_if(coalesce(begins, true)) over (
                partition by service order by used_from, lapses_on, offer rows between unbounded preceding and current row
            ) as number
        from of_any
    )
    group by service, number
)

select
    offer, service, used_from, lapses_on, if(used_until = 'infinity', 'infinity', used_until - 1) as last_used_on,
    is_start_unknown,
    row_number() over (partition by offer, service order by used_from) = 1 as is_first,
    lapses_on = coalesce(c.retired_on, 'infinity') and c.retired_on is not null as is_retired
from spell
left join config.capability as c on 'capability:' || c.capability = spell.offer
