insert or replace into raw.coverage
select distinct source, scope, getvariable('until') from (
    select source, scope from raw.repository
    union all
    select source, scope from raw.service
    union all
    select 'push', 'all'
);
update raw.version set version = version + 1;
drop table item;
drop table news;
drop table rollout;
drop table run
