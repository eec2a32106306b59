/*
description: >-
  Services that took up a capability, came back to it or left it, and what of the same kind they used when they left. Only
  services that three people or more worked on then. Use that was under way when it was first looked for is no change.
grain: one row per capability, service and change
key: [capability, service, changed_on, change]
needs: config.service_scope
columns:
  capability: {type: varchar, description: "Name of the capability"}
  service: {type: varchar, description: "Name of the service"}
  team: {type: varchar, description: "Team that owned it then, of several the first by name", nullable: true}
  tier: {type: varchar, description: "How much depends on it", nullable: true}
  kind: {type: varchar, description: "In the catalogue's word", nullable: true}
  changed_on: {type: date, description: "Local day of the first use, or on which the cadence had passed without another"}
  change: {type: varchar, description: "What changed; dormant where it left with no commit in 90 days", accepted: [adopted, returned, left, dormant, retired]}
  last_used_on: {type: date, description: "Local day of the last use before it left", nullable: true}
  is_mandated: {type: boolean, description: "A mandate took it in on that day"}
  instead: {type: 'varchar[]', description: "Capabilities of the same kind that it used on that day"}
*/
with turn as (
    select
        offer, service, used_from as changed_on, if(is_first, 'adopted', 'returned') as change, null::date as last_used_on
    from core.adoption
    where not is_start_unknown
    union all
    select offer, service, lapses_on, if(is_retired, 'retired', 'left'), last_used_on
    from core.adoption
    where lapses_on < 'infinity'
),

shown as (
    select t.*, substr(t.offer, 12) as capability, c.kind
    from turn as t
    inner join config.capability as c on t.offer = 'capability:' || c.capability
    inner join core.shown_service as g
        on g.offer = t.offer and g.service = t.service
        and g.valid_from < t.changed_on and g.valid_until >= t.changed_on
    where t.changed_on <= (select max(as_of) from marts.adoption_period)
),

owner as (
    select distinct t.offer, t.service, t.changed_on, o.team
    from shown as t
    inner join core.owner as o
        on o.service = t.service and during(local_moment(t.changed_on), o.valid_from, o.valid_until)
),

other as (
    select t.offer, t.service, t.changed_on, list(distinct c.capability order by c.capability) as instead
    from shown as t
    inner join config.capability as c on c.kind = t.kind and c.capability <> t.capability
    inner join core.adoption as a
        on a.offer = 'capability:' || c.capability and a.service = t.service
        and a.used_from <= t.changed_on and a.lapses_on > t.changed_on
    where t.change in ('left', 'retired')
    group by all
),

mandated as (
    select 'capability:' || m.capability as offer, s.service, min(m.since) as since
    from config.capability_mandate as m
    inner join core.service_scope as s using (scope_id)
    group by all
),

active as (
    select t.offer, t.service, t.changed_on
    from shown as t
    inner join core.service_life as l
        on l.service = t.service and l.is_active and l.valid_from <= t.changed_on and l.valid_until > t.changed_on
)

select
    t.capability, t.service, o.team, r.tier, r.kind, t.changed_on,
    if(t.change = 'left' and a.service is null, 'dormant', t.change) as change,
    t.last_used_on,
    coalesce(m.since <= t.changed_on, false) as is_mandated,
    coalesce(i.instead, []) as instead
from shown as t
inner join core.service_trait as r using (service)
left join owner as o using (offer, service, changed_on)
left join other as i using (offer, service, changed_on)
left join active as a using (offer, service, changed_on)
left join mandated as m using (offer, service)
order by t.capability, t.changed_on, t.service, t.change
