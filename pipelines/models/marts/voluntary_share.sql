/*
description: How much of the use of a capability is of free will.
metric:
  area: adoption
  title: Voluntary share
  unit: ratio
  definition: >-
    Services that took up the capability before a mandate took them in, or that none takes in / services that use it at
    the end of the period, as in reach. One that left and came back counts as it came back. Where use was under way when it
    was first looked for, and that after the mandate, nobody knows: these are left out and counted.
  better: higher
  estimate: rate_as_of
*/
with mandated as (
    select 'capability:' || m.capability as offer, s.service, min(m.since) as since
    from config.capability_mandate as m
    inner join core.service_scope as s using (scope_id)
    group by all
),

taken_up as (
    select
        l.offer, l.service, l.valid_from, l.valid_until,
        case
            when l.used_from < coalesce(m.since, 'infinity') then 'voluntary'
            when l.is_start_unknown then 'unknown_start'
            else 'mandated'
        end as came
    from core.adoption_life as l
    left join mandated as m using (offer, service)
    where l.kind = 'using' and l.offer <> 'platform' and not starts_with(l.offer, 'migration:')
)

select offer, service, valid_from, valid_until, if(came = 'unknown_start', came, 'one') as part, 1 as weight from taken_up
union all
select offer, service, valid_from, valid_until, 'hit', 1 from taken_up where came = 'voluntary'
