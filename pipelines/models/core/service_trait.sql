/*
description: What a catalogue says of each service. What none says is null.
grain: one row per service
key: [service]
columns:
  service: {type: varchar, description: "Name of the service"}
  kind: {type: varchar, description: "In the catalogue's word, as `service`", nullable: true}
  tier: {type: varchar, description: "How much depends on it", nullable: true}
  lifecycle: {type: varchar, description: "In the catalogue's word, as `production`", nullable: true}
  system: {type: varchar, description: "What it is a part of", nullable: true}
  is_archived: {type: boolean, description: "All its repositories are read-only"}
*/
with catalogued as (
    select
        s.service,
        arg_min(struct_pack(kind := r.kind, tier := r.tier, lifecycle := r.lifecycle, system := r.system), c.position) as said
    from core.service as s
    inner join raw.service as r on s.service in (r.name, r.id)
    inner join config.source as c using (source)
    group by s.service
),

kept as (
    select m.service, bool_and(r.archived) as is_archived
    from core.service_repository as m
    inner join core.repository as r using (source, repository_id)
    group by m.service
)

select s.service, c.said.kind, c.said.tier, c.said.lifecycle, c.said.system, k.is_archived
from core.service as s
inner join kept as k using (service)
left join catalogued as c using (service)
