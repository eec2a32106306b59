/*
description: What the platform offers, and how many services use it as of the last day that was read.
grain: one row per capability
key: [capability]
needs: config.service_scope
columns:
  capability: {type: varchar, description: "Name of the capability"}
  title: {type: varchar, description: "What a person calls it"}
  owner: {type: varchar, description: "Who offers it", nullable: true}
  kind: {type: varchar, description: "In the workspace's own word"}
  cadence_days: {type: bigint, description: "Days within which somebody who uses it does so"}
  introduced_on: {type: date, description: "First local day on which it was offered", nullable: true}
  retired_on: {type: date, description: "First local day on which it was no longer", nullable: true}
  mandated_on: {type: date, description: "First local day on which any service was to use it", nullable: true}
  is_golden: {type: boolean, description: "New services are made from it"}
  position: {type: bigint, description: "Place in the workspace file"}
  eligible_services: {type: bigint, description: "Eligible services with a commit in 90 days"}
  using_services: {type: bigint, description: "Those of them that use it"}
  dormant_services: {type: bigint, description: "Eligible services without a commit in 90 days"}
  hidden_services: {type: bigint, description: "Services, of those and these, that are in no list: fewer than three people work on them"}
*/
with today as (
    select max(as_of) as day from marts.adoption_period
),

present as (
    select l.offer, l.service, l.kind, g.service is not null as is_shown
    from core.adoption_life as l
    cross join today as t
    left join core.shown_service as g
        on g.offer = l.offer and g.service = l.service and g.valid_from <= t.day and g.valid_until > t.day
    where l.valid_from <= t.day and l.valid_until > t.day
)

select
    c.capability, c.title, c.owner, c.kind, c.cadence_days, c.introduced_on, c.retired_on,
    (select min(since) from config.capability_mandate as m where m.capability = c.capability) as mandated_on,
    c.is_golden, c.position,
    count(p.service) filter (p.kind = 'active') as eligible_services,
    count(p.service) filter (p.kind = 'using') as using_services,
    count(p.service) filter (p.kind = 'dormant') as dormant_services,
    count(p.service) filter (p.kind <> 'using' and not p.is_shown) as hidden_services
from config.capability as c
left join present as p on p.offer = 'capability:' || c.capability
group by all
order by c.position
