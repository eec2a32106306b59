-- Sizes are log-normal: a few services are far busier than most. Every 20th repository is of two services.
create schema bench;

create table bench.service as
with drawn as (
    select
        id, case when id < 2 * getvariable('shared') then id // 2 else id - getvariable('shared') end as repository,
        exp(sqrt(-2 * ln(1 - chance('size', id, 1))) * cos(2 * pi() * chance('size', id, 2))) as weight
    from range(getvariable('services')) as s (id)
)
select
    id, repository, 'service-' || id as name,
    case when id < 2 * getvariable('shared') then 'part-' || id % 2 end as path,
    id % 5 = 4 and id >= 2 * getvariable('shared') as has_regions,
    1095 * 86400 / greatest(5, getvariable('deployments') / 1.2 * weight / sum(weight) over ()) as step,
    weight
from drawn;

create table bench.repository as
select
    repository as id, 'repository-' || repository as name,
    'https://git.example.invalid/acme/repository-' || repository as url,
    bool_or(path is not null) as is_shared,
    -- Seven of fifteen items are pull requests.
    1095 * 86400 / greatest(20, getvariable('pull_requests') * 15 / 7 * sum(weight) / (select sum(weight) from bench.service)) as step
from bench.service
group by repository;
