/*
description: Services, the teams that own them now, the repositories they are made of, and what a catalogue says of them.
grain: one row per service
key: [service]
columns:
  service: {type: varchar, description: "Name of the service"}
  team: {type: varchar, description: "Team that owns it, of several the first by name; null where none is known", nullable: true}
  teams: {type: 'varchar[]', description: "Every team that owns it"}
  repositories: {type: 'varchar[]', description: "Names of its repositories"}
  kind: {type: varchar, description: "In the catalogue's word, as `service`", nullable: true}
  tier: {type: varchar, description: "How much depends on it, in the catalogue's word", nullable: true}
*/
with owner as (
    select service, list_sort(list_distinct(list(team))) as teams
    from core.ownership
    where valid_until = 'infinity'
    group by service
)

select s.service, o.teams[1] as team, coalesce(o.teams, []) as teams, s.repositories, t.kind, t.tier
from core.service as s
left join owner as o using (service)
left join core.service_trait as t using (service)
order by s.service
