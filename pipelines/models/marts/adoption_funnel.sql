/*
description: >-
  How far services come with each capability, as of the last day that was read: of the active ones that are eligible,
  those that ever touched it, be it in vain; that ever used it; that use it; that use it since 90 days or more.
grain: one row per capability and step
key: [capability, position]
needs: config.service_scope
columns:
  capability: {type: varchar, description: "Name of the capability"}
  position: {type: bigint, description: "Place of the step"}
  step: {type: varchar, description: "What the services did", accepted: [eligible, touched, used, using, kept]}
  services: {type: bigint, description: "Number of services; null where withheld", nullable: true}
*/
with today as (
    select max(as_of) as day from marts.adoption_period
),

present as (
    select l.offer, l.service, l.kind, l.used_from
    from core.adoption_life as l
    cross join today as t
    where l.valid_from <= t.day and l.valid_until > t.day and l.kind <> 'dormant' and starts_with(l.offer, 'capability:')
),

touched as (
    select distinct 'capability:' || e.capability as offer, e.service
    from core.capability_evidence as e
    anti join (from config.capability_rule where kind = 'ticket') as r using (rule_id)
    where e.service is not null
),

reached as (
    select offer, service, 1 as position, 'eligible' as step from present where kind = 'active'
    union all
    select offer, service, 2, 'touched' from present semi join touched using (offer, service) where kind = 'active'
    union all
    select offer, service, 3, 'used' from present semi join core.adoption using (offer, service) where kind = 'active'
    union all
    select offer, service, 4, 'using' from present where kind = 'using'
    union all
    select offer, service, 5, 'kept' from present, today where kind = 'using' and used_from <= day - 90
),

step as (
    select 'capability:' || capability as offer, unnest([1, 2, 3, 4, 5]) as position,
        unnest(['eligible', 'touched', 'used', 'using', 'kept']) as step
    from config.capability
)

select
    substr(p.offer, 12) as capability, p.position::bigint as position, p.step,
    if(any_value(g.is_suppressed), null, count(r.service)) as services
from step as p
cross join today as t
inner join marts.adoption_group as g
    on g.offer = p.offer and g.level = 'organisation' and g.valid_from <= t.day and g.valid_until > t.day
left join reached as r on r.offer = p.offer and r.step = p.step
group by p.offer, p.position, p.step
order by capability, p.position
