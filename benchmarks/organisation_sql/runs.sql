-- Three runs for the commits of a pull request, one for most commits that land; some failures are run again.
create or replace temp table run as
with numbered as (
    select *, unnest(range(if(way = 'push', 1, 4))) as n from item
),

placed as (
    select
        * exclude (author, folders, kind), (r * 100000000 + k) * 4 + n as id,
        case when n = 0 then landed_at else opened_at + (landed_at - opened_at) * (n / 5) end as began,
        if(n = 0, sha(r, k, 0), sha(r, k, if(way = 'merge', 1, -1) * greatest(1, commits - n + 1))) as sha,
        outcome('run', id, 1) as first_result
    from numbered
    where n > 0 or way <> 'push' or chance('unrun', r, k) < 0.85
)

select *, unnest(if(first_result = 'failed' and chance('again', id, 1) < 0.4, [1, 2], [1])) as attempt,
    began + if(attempt = 2, interval 30 minute, interval 0 minute) as queued_at,
    queued_at + wait('queue', id, attempt, 40) as started_at,
    started_at + wait('duration', id, attempt, 400) as finished_at
from placed;

insert into raw.pipeline_run by name
select
    'github' as source, name as scope, id::varchar as id, attempt, r::varchar as repository,
    '.github/workflows/ci.yml' as workflow, if(n = 0, 'main', '~' || lower(hex(hash(r, k)))) as branch,
    if(n = 0, 'push', 'pull_request') as event, sha, queued_at, started_at, finished_at,
    if(attempt = 1, first_result, outcome('run', id, attempt)) as result,
    url || '/actions/runs/' || id as url
from run
where happened(finished_at);

insert into raw.job by name
select
    'github' as source, name as scope, id || '-' || attempt || '-' || j as id, id::varchar as run, attempt,
    r::varchar as repository, ['build', 'test'][j] as name, 'ubuntu-latest' as runner,
    queued_at, started_at + to_seconds(j) as started_at, finished_at - to_seconds(2 - j) as finished_at,
    if(j = 2 and (attempt = 2 or first_result <> 'success'), outcome('job', id, attempt), 'success') as result
from run, range(1, 3) as t (j)
where happened(finished_at)
