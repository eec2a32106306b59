/*
description: Environments that deployments were recorded for, and whether the workspace takes them for production.
grain: one row per source and environment
key: [source, environment]
columns:
  source: {type: varchar, description: "Configured name of the source"}
  environment: {type: varchar, description: "Name in the tool"}
  deployments: {type: bigint, description: "Deployments recorded, whatever became of them"}
  is_production: {type: boolean, description: "A pattern of the workspace's `production` matches all of it"}
*/
with named as (
    select source, environment, count(*) as deployments
    from raw.deployment
    inner join config.source using (source)
    group by all
)

select
    *,
    exists (
        select 1 from config.production as p where regexp_full_match(environment, p.environments, 'i')
    ) as is_production
from named
