/*
description: How many of those that used a capability stopped.
metric:
  area: adoption
  title: Churn
  unit: ratio
  definition: >-
    Services that use the capability no longer at the end of the period / services that used it when it began, as in reach.
    A use ends when the cadence has passed without another. What fell dormant or was archived is left out and counted.
  better: lower
  estimate: given
*/
with ended as (
    select
        u.offer, u.service, p.grain, p.period_start, p.as_of
    from core.adoption_life as u
    inner join marts.adoption_period as p
        on u.valid_until >= p.period_start and u.valid_until <= p.as_of and u.valid_from < p.period_start
    where u.kind = 'using'
),

outcome as (
    select
        e.offer, e.service, e.grain, e.period_start,
        coalesce(bool_or(l.kind = 'using'), false) as stays, coalesce(bool_or(l.kind = 'active'), false) as is_active
    from ended as e
    left join core.adoption_life as l
        on l.offer = e.offer and l.service = e.service and l.valid_from <= e.as_of and l.valid_until > e.as_of
    group by all
),

gone as (
    select
        o.offer, m.level, m.key, o.grain, o.period_start,
        count_if(o.is_active) as left_it, count_if(not o.is_active) as dormant
    from outcome as o
    inner join core.adoption_member as m
        on m.service = o.service and m.level <> 'service' and m.valid_from < o.period_start
        and m.valid_until >= o.period_start
    where not o.stays
    group by all
),

counted as (
    select
        coalesce('capability:' || r.capability, 'platform') as offer, r.level, r.key, r.grain,
        r.period_end as period_start, round(r.value * r.n)::bigint as users
    from marts.reach as r
    where r.level <> 'service' and r.value > 0
),

remaining as (
    select
        c.offer, c.level, c.key, c.grain, c.period_start, coalesce(g.left_it, 0) as hits,
        c.users - coalesce(g.dormant, 0) as n, coalesce(g.dormant, 0) as dormant
    from counted as c
    left join gone as g using (offer, level, key, grain, period_start)
)

select
    offer, level, key, grain, period_start, if(n > 0, hits / n, null) as value, n,
    if(n > 0, greatest(wilson_middle(hits, n) - wilson_margin(hits, n), 0), null) as low,
    if(n > 0, least(wilson_middle(hits, n) + wilson_margin(hits, n), 1), null) as high,
    if(dormant > 0, map {'dormant': dormant}, null) as excluded
from remaining
