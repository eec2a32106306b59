/*
description: >-
  What the services and teams are part of, day by day: as it was at the end of the day. Tier and kind are the
  catalogue's of today.
grain: one row per level, key, member and time
key: [level, key, service, team, valid_from]
needs: config.service_scope
columns:
  level: {type: varchar, description: "Level of the figures", accepted: [organisation, team, service, tier, kind]}
  key: {type: varchar, description: "Its name at that level"}
  service: {type: varchar, description: "Service that is part of it; null where it is a team", nullable: true}
  team: {type: varchar, description: "Team that is, or is below it; null where it is a service", nullable: true}
  valid_from: {type: date, description: "First local day"}
  valid_until: {type: date, description: "Local day after the last; infinity while it lasts"}
*/
with recursive above as (
    select team as key, team, '-infinity'::timestamptz as valid_from, 'infinity'::timestamptz as valid_until
    from core.team
    union
    select v.parent, a.team, greatest(a.valid_from, v.valid_from), least(a.valid_until, v.valid_until)
    from above as a
    inner join core.team_version as v
        on v.team = a.key and v.valid_from < a.valid_until and v.valid_until > a.valid_from
    where v.parent is not null
),

dated as (
    select
        key, service, team,
        if(valid_from = '-infinity', '-infinity'::date, local_date(valid_from)) as valid_from,
        if(valid_until = 'infinity', 'infinity'::date, local_date(valid_until)) as valid_until
    from (
        select team as key, service, null as team, valid_from, valid_until from core.tenure
        union all
        select key, null, team, valid_from, valid_until from above
    )
)

select 'team' as level, key, service, team, valid_from, valid_until
from dated
where valid_from < valid_until
union all
select 'organisation', w.organisation, s.service, null, '-infinity'::date, 'infinity'::date
from core.service as s
cross join config.workspace as w
union all
select 'organisation', w.organisation, null, t.team, '-infinity'::date, 'infinity'::date
from core.team as t
cross join config.workspace as w
union all
select 'service', service, service, null, '-infinity'::date, 'infinity'::date
from core.service
union all
select 'tier', tier, service, null, '-infinity'::date, 'infinity'::date
from core.service_trait
where tier is not null
union all
select 'kind', kind, service, null, '-infinity'::date, 'infinity'::date
from core.service_trait
where kind is not null
