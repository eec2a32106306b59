/*
description: >-
  Which service passes which check, as of the last day that was read. Only services that three people or more work on.
grain: one row per check and service
key: [platform_check, service]
needs: config.service_scope
columns:
  platform_check: {type: varchar, description: "Name of the check"}
  title: {type: varchar, description: "What a person calls it"}
  weight: {type: double, description: "How much it weighs"}
  position: {type: bigint, description: "Place in the workspace file"}
  capability: {type: varchar, description: "Capability that it asks for; null where it has evidence of its own", nullable: true}
  service: {type: varchar, description: "Name of the service"}
  team: {type: varchar, description: "Team that owns it, of several the first by name", nullable: true}
  tier: {type: varchar, description: "How much depends on it", nullable: true}
  kind: {type: varchar, description: "In the catalogue's word", nullable: true}
  is_passed: {type: boolean, description: "It passes"}
  changed_on: {type: date, description: "Local day since which that is so; null where it never was otherwise", nullable: true}
*/
with today as (
    select max(as_of) as day from marts.adoption_period
),

result as (
    select
        a.platform_check, a.service, bool_or(a.kind = 'passed' and a.valid_until > t.day) as is_passed,
        max(a.valid_from) filter (a.kind = 'passed' and a.valid_until > t.day) as passed_from,
        max(a.valid_until) filter (a.kind = 'passed' and a.valid_until <= t.day) as failed_from
    from core.check_life as a
    cross join today as t
    where a.valid_from <= t.day
    group by all
    having bool_or(a.kind = 'asked' and a.valid_until > t.day)
)

select
    k.platform_check, k.title, k.weight, k.position, c.capability, r.service, o.team, t.tier, t.kind, r.is_passed,
    if(r.is_passed, r.passed_from, r.failed_from) as changed_on
from result as r
cross join today as d
inner join config.platform_check as k using (platform_check)
inner join core.shown_service as g
    on g.offer = 'platform' and g.service = r.service and g.valid_from <= d.day and g.valid_until > d.day
inner join core.service_trait as t on t.service = r.service
left join config.capability as c on c.capability = k.capability
left join core.owner as o on o.service = r.service and o.valid_until = 'infinity'
order by k.position, r.service
