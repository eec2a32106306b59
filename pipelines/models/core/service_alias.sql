/*
description: Every name that a tool may call a service by.
grain: one row per kind and alias
key: [kind, alias]
columns:
  kind: {type: varchar, description: "Kind of the sources that say so; null for any", nullable: true}
  alias: {type: varchar, description: "What is said"}
  service: {type: varchar, description: "Name of the service"}
*/
with known as (
    select null as kind, service as alias, service, 0 as rank
    from core.service
    union all
    select null, r.id, s.service, 1
    from raw.service as r
    inner join core.service as s on s.service in (r.name, r.id)
    union all
    select nullif(split_part(said, ':', 1), ''), substr(said, instr(said, ':') + 1), service, 2
    from (
        select unnest(r.aliases) as said, s.service
        from raw.service as r
        inner join core.service as s on s.service in (r.name, r.id)
    )
    where contains(said, ':')
)

select kind, alias, arg_min(service, (rank, service)) as service
from known
group by kind, alias
