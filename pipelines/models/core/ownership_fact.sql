/*
description: >-
  What is said of who owned which service when: by `ownership` records, by the catalogue as it was read from
  time to time, by the workspace.
grain: one row per statement
key: [source, said_service, said_team, valid_from, valid_until, rank]
columns:
  source: {type: varchar, description: "Configured name of the source that says so; null for the workspace", nullable: true}
  said_service: {type: varchar, description: "What it calls the service"}
  said_team: {type: varchar, description: "What it calls the team"}
  service: {type: varchar, description: "Name of the service; null where none or several are called so", nullable: true}
  team: {type: varchar, description: "Name of the team; null where none or several are called so", nullable: true}
  valid_from: {type: timestamp with time zone, description: "When that began (UTC); -infinity where it always was so"}
  valid_until: {type: timestamp with time zone, description: "When it ended, exclusive (UTC); infinity while it lasts"}
  rank: {type: integer, description: "0 records, 1 catalogue or workspace, 2 what the catalogue's first reading found, before that reading"}
*/
with read as (
    select
        v.source, v.id, c.service, v.team, v.seen_from, coalesce(v.seen_until, 'infinity') as seen_until,
        coalesce(f.read_at, 'infinity') as first_read_at
    from config.service as c
    inner join history.service as v on v.source = c.source and v.id = c.id
    left join history.first_reading as f on f.source = v.source and f.stream = 'service'
    where v.team is not null
),

said as (
    select
        o.source, o.service as said_service, o.team as said_team, a.service,
        coalesce(o.valid_from, '-infinity') as valid_from, coalesce(o.valid_to, 'infinity') as valid_until, 0 as rank
    from raw.ownership as o
    inner join config.source as s on s.source = o.source
    left join core.service_alias as a on a.alias = o.service and (a.kind is null or a.kind in (s.kind, s.source))
    qualify row_number() over (
        partition by o.source, o.service, o.team, o.valid_from order by a.kind nulls last, a.service
    ) = 1
    union all
    select source, id, team, service, coalesce(seen_from, least(first_read_at, seen_until)), seen_until, 1
    from read
    union all
    select source, id, team, service, '-infinity'::timestamptz, least(first_read_at, seen_until), 2
    from read
    where seen_from is null
    union all
    select null, service, team, service, '-infinity'::timestamptz, 'infinity'::timestamptz, 1
    from config.service_owner
),

team_reference as (
    select source, id as said_team, team, 0 as trust from core.team
    union all
    select v.source, v.id, t.team, 1 from history.team as v inner join core.team as t on t.team = v.name
    union all
    select null, id, team, 2 from core.team
    union all
    select null, team, team, 3 from core.team
    union all
    select null, v.name, t.team, 4
    from history.team as v
    inner join core.team as t on t.source = v.source and t.id = v.id
),

-- By the most trusted way that it names a team, where it names only one that way.
named as (
    select source, said_team, any_value(team) as team
    from (
        select s.source, s.said_team, r.team
        from (select distinct source, said_team from said) as s
        inner join team_reference as r
            on r.said_team = s.said_team and (r.source is null or r.source = s.source)
        qualify rank() over (partition by s.source, s.said_team order by r.trust) = 1
    )
    group by source, said_team
    having count(distinct team) = 1
)

select distinct
    s.source, s.said_service, s.said_team, s.service, n.team, s.valid_from, s.valid_until, s.rank
from said as s
left join named as n on n.source is not distinct from s.source and n.said_team = s.said_team
where s.valid_from < s.valid_until
