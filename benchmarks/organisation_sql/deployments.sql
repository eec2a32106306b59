insert into raw.deployment by name
with reached as (
    select
        *, unnest(if(has_regions, ['staging', 'production-eu', 'production-us'], ['staging', 'production'])) as environment
    from rollout
),

dated as (
    select
        * replace (case environment
            when 'staging' then finished_at - interval 20 minute
            when 'production-us' then finished_at + interval 30 minute
            else finished_at
        end as finished_at)
    from reached
    where environment <> 'staging' or d % 5 = 0
)

select
    'github' as source, repository_name as scope, concat_ws('-', id, d, environment) as id,
    repository::varchar as repository, if(path is null, null, name) as service, environment, sha,
    'main' as ref, if(chance('deployed', id, d) < 0.95, 'success', 'failed') as status,
    finished_at - interval 6 minute as created_at, finished_at - interval 5 minute as started_at, finished_at,
    'https://git.example.invalid/acme/' || repository_name || '/deployments/' || d as url
from dated
where happened(finished_at)
