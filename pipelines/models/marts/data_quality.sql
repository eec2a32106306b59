/*
description: What kinds of things could not be matched, and which share of the figures that affects.
grain: one row per kind and sort of figure
key: [kind, affects]
columns:
  kind: {type: varchar, description: "What is the matter"}
  affects: {type: varchar, description: "What `affected` counts", accepted: [deployments, changes, incidents, recorded deployments, statements, uses]}
  meaning: {type: varchar, description: "What follows from it"}
  things: {type: bigint, description: "How many there are"}
  of_things: {type: bigint, description: "Out of how many"}
  affected: {type: bigint, description: "Deployments, changes, … that are in no figure, or in too few, for it"}
  of_affected: {type: bigint, description: "Out of how many"}
  share: {type: double, description: "affected / of_affected, from 0 to 1; null where there are none", nullable: true}
*/
with total as (
    select
        (select count(*) from core.repository) as repositories,
        (select count(*) from core.service) as services,
        (select count(*) from core.deployment) as deployments,
        (select count(*) from core.change) as changes,
        (select count(*) from core.incident) as incidents,
        (select count(*) from core.environment) as environments,
        (select coalesce(sum(deployments), 0)::bigint from core.environment) as recorded,
        (select count(*) from core.located_deployment where is_production and status = 'success') as succeeded,
        (select count(distinct (said_service, said_team)) from core.ownership_fact) as statements,
        (select count(distinct author) from core.author) as authors,
        (select count(*) from core.author) as written,
        (select count(distinct observation_id) from core.capability_observation) as uses
),

kind (kind, affects, of_things, of_affected, meaning) as (
    select
        'repository_without_service', 'deployments', repositories, deployments,
        'No service is built from them, as far as is known: what is deployed from them is in no service''s, team''s or the organisation''s figures.'
    from total
    union all
    select
        'repository_without_service', 'changes', repositories, changes,
        'No service is built from them, as far as is known: what is changed in them is in no service''s, team''s or the organisation''s figures.'
    from total
    union all
    select
        'deployment_without_repository', 'deployments', succeeded, succeeded,
        'Recorded for a repository or a service that is not read: they are in no figure.'
    from total
    union all
    select
        'deployment_without_commit', 'deployments', succeeded, succeeded,
        'Recorded without the commit deployed or without an end: they are in no figure.'
    from total
    union all
    select
        'deployment_of_unknown_service', 'deployments', succeeded, succeeded,
        'They name a service that nobody knows by that name, and count for all services of their repository.'
    from total
    union all
    select
        'environment_not_production', 'recorded deployments', environments, recorded,
        'No pattern of `production` matches them: what is deployed there is in no figure.'
    from total
    union all
    select
        'service_without_owner', 'deployments', services, deployments,
        'No team is known to own them now, or to have done so once: what was deployed then is in no team''s figures.'
    from total
    where exists (from core.team)
    union all
    select
        'unknown_owner', 'statements', statements, statements,
        'They say who owned a service, of a service or a team that nobody knows by that name, and are passed over.'
    from total
    union all
    select
        'incident_without_service', 'incidents', incidents, incidents,
        'Of no known service: unless they name a deployment, no failure is found by them.'
    from total
    union all
    select
        'change_without_path', 'changes', changes, changes,
        'In a repository that services share, in none of their `paths`, or in folders that were not read: they count for the repository alone.'
    from total
    union all
    select
        'author_without_team', 'changes', authors, written,
        'People who are, as far as is known, in no team: a team''s size, and who it is to ask, lacks them.'
    from total
    where exists (from history.membership)
    union all
    select
        'use_without_service', 'uses', uses, uses,
        'Of no service that is known by that name, or of one of several that share a repository: they are in no figure of adoption.'
    from total
    where exists (from config.capability_rule)
),

found as (
    select
        kind, affects, sum(things)::bigint as things,
        -- Two services may be deployed as one.
        if(
            kind = 'service_without_owner',
            (select count(distinct deployment_id) from core.unowned_deployment),
            sum(affected)::bigint
        ) as affected
    from marts.unmapped
    group by kind, affects
)

select
    k.kind, k.affects, k.meaning,
    coalesce(f.things, 0) as things,
    k.of_things,
    coalesce(f.affected, 0) as affected,
    k.of_affected,
    coalesce(f.affected, 0) / nullif(k.of_affected, 0) as share
from kind as k
left join found as f using (kind, affects)
order by share desc nulls last, k.kind, k.affects
