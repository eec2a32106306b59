/*
description: >-
  Who uses each capability, who left it and who never came, as of the last day that was read. Only services that three
  people or more work on.
grain: one row per capability and service
key: [capability, service]
needs: config.service_scope
columns:
  capability: {type: varchar, description: "Name of the capability"}
  service: {type: varchar, description: "Name of the service"}
  team: {type: varchar, description: "Team that owns it, of several the first by name", nullable: true}
  tier: {type: varchar, description: "How much depends on it", nullable: true}
  kind: {type: varchar, description: "In the catalogue's word", nullable: true}
  state: {type: varchar, description: "What holds; dormant without a commit in 90 days, whatever it uses", accepted: [using, left, never, dormant]}
  since: {type: date, description: "Local day from which it uses it, or no longer does; null where that is not known, or never", nullable: true}
  last_used_on: {type: date, description: "Local day of the last use that is over", nullable: true}
  is_start_unknown: {type: boolean, description: "The use may have begun before it was first looked for"}
  is_carried: {type: boolean, description: "Nothing has confirmed the state for more than two days"}
  is_mandated: {type: boolean, description: "A mandate takes it in"}
  version: {type: varchar, description: "Version it has it in, of several the newest", nullable: true}
  url: {type: varchar, description: "Where a person can see the latest evidence", nullable: true}
*/
with today as (
    select max(as_of) as day from marts.adoption_period
),

present as (
    select l.offer, l.service, bool_or(l.kind = 'dormant') as is_dormant, bool_or(l.kind = 'using') as is_using
    from core.adoption_life as l
    cross join today as t
    inner join core.shown_service as g
        on g.offer = l.offer and g.service = l.service and g.valid_from <= t.day and g.valid_until > t.day
    where l.valid_from <= t.day and l.valid_until > t.day and starts_with(l.offer, 'capability:')
    group by all
),

latest as (
    select offer, service, max_by(struct_pack(used_from, lapses_on, last_used_on, is_start_unknown), used_from) as spell
    from core.adoption
    where used_from <= (select day from today)
    group by all
),

seen as (
    select
        'capability:' || e.capability as offer, e.service,
        arg_max(e.version, (coalesce(e.version_ordinal, 0), e.observed_at)) filter (
            e.kind = 'present' and e.ended_at is null and e.version is not null
        ) as version,
        arg_max(e.url, e.observed_at) filter (e.url is not null) as url,
        max(e.confirmed_until) filter (e.kind = 'present' and e.ended_at is null) as confirmed_until
    from core.capability_evidence as e
    where e.service is not null
    group by all
),

mandated as (
    select distinct 'capability:' || m.capability as offer, s.service
    from config.capability_mandate as m
    inner join core.service_scope as s using (scope_id)
    where m.since <= (select day from today)
)

select
    substr(p.offer, 12) as capability, p.service, o.team, t.tier, t.kind,
    case
        when p.is_dormant then 'dormant'
        when p.is_using then 'using'
        when s.spell is not null then 'left'
        else 'never'
    end as state,
    case
        when p.is_dormant then null
        when p.is_using then if(s.spell.is_start_unknown, null, s.spell.used_from)
        else s.spell.lapses_on
    end as since,
    if(s.spell.last_used_on <= d.day, s.spell.last_used_on, null) as last_used_on,
    coalesce(s.spell.is_start_unknown, false) as is_start_unknown,
    coalesce(e.confirmed_until < local_moment(d.day - 1), false) as is_carried,
    m.service is not null as is_mandated,
    e.version, e.url
from present as p
cross join today as d
inner join core.service_trait as t using (service)
left join (from core.owner where valid_until = 'infinity') as o using (service)
left join latest as s using (offer, service)
left join seen as e using (offer, service)
left join mandated as m using (offer, service)
order by capability, p.service
