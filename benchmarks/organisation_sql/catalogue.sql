insert into raw.repository by name
select 'github' as source, name as scope, id::varchar as id, name, url, 'main' as default_branch, false as archived
from bench.repository;

insert into raw.team by name
select
    'catalogue' as source, 'all' as scope, level || '-' || n as id, id as name, kind,
    case level when 'team' then 'group-' || n // 6 when 'group' then 'department-' || n // 6 end as parent
from (
    select 'team' as level, 'team' as kind, unnest(range((count(*) // 8 + 1)::bigint)) as n from bench.service
    union all
    select 'group', 'business-unit', unnest(range((count(*) // 48 + 1)::bigint)) from bench.service
    union all
    select 'department', 'department', unnest(range((count(*) // 288 + 1)::bigint)) from bench.service
);

insert into raw.service by name
select
    'catalogue' as source, 'all' as scope, 'component:' || s.name as id, s.name, 'team-' || s.id // 8 as team,
    'service' as kind, [r.url] as repositories, case when path is null then [] else [path] end as paths,
    ['pagerduty:P' || s.id] as aliases
from bench.service as s
inner join bench.repository as r on r.id = s.repository;

-- One service in twenty has changed hands.
insert into raw.ownership by name
select
    'catalogue' as source, 'all' as scope, 'component:' || name as service, 'team-' || owner as team,
    if(turn = 1, getvariable('began') + interval 500 day, null) as valid_from,
    if(turn = 0, getvariable('began') + interval 500 day, null) as valid_to
from (
    select name, turn, case when turn = 0 then (id + 8) % count(*) over () else id end // 8 as owner
    from bench.service, range(2) as t (turn)
    where id % 20 = 7
);
