/*
description: When each service counts for an offer, and whether it uses it. These are the real denominators.
grain: one row per offer, service, kind and time
key: [offer, service, kind, valid_from]
needs: config.service_scope
columns:
  offer: {type: varchar, description: "`capability:` or `migration:` and the name, or `platform`"}
  service: {type: varchar, description: "Name of the service"}
  kind: {type: varchar, description: "Active, active and using, or dormant", accepted: [active, using, dormant]}
  valid_from: {type: date, description: "First local day"}
  valid_until: {type: date, description: "Local day after the last; infinity while it lasts"}
  used_from: {type: date, description: "Of what is using when the spell began", nullable: true}
  is_start_unknown: {type: boolean, description: "Of what is using whether the spell may have begun before", nullable: true}
*/
with life as (
    select
        o.offer, o.service, if(l.is_active, 'active', 'dormant') as kind,
        greatest(o.valid_from, l.valid_from) as valid_from, least(o.valid_until, l.valid_until) as valid_until
    from core.offer as o
    inner join core.service_life as l using (service)
    where greatest(o.valid_from, l.valid_from) < least(o.valid_until, l.valid_until)
)

select *, null::date as used_from, null::boolean as is_start_unknown from life
union all
select
    l.offer, l.service, 'using', greatest(l.valid_from, a.used_from), least(l.valid_until, a.lapses_on), a.used_from,
    a.is_start_unknown
from life as l
inner join core.adoption as a on a.offer = l.offer and a.service = l.service
where l.kind = 'active' and greatest(l.valid_from, a.used_from) < least(l.valid_until, a.lapses_on)
