/*
description: >-
  What took a fault back, with the deployment it says failed. A rollback: the next version in an environment
  is behind the last. A revert: it takes back a change that had shipped. A hotfix: the version it was begun
  on. Each within the failure window of what it says failed.
grain: one row per unit and mend
key: [unit, kind, evidence_id]
day: finished_on
columns:
  unit: {type: varchar, description: "What failed"}
  kind: {type: varchar, description: "What it is", accepted: [rollback, revert, hotfix]}
  evidence_id: {type: varchar, description: "Deployment that went back, or change"}
  chain_id: {type: varchar, description: "Chain"}
  deployment_id: {type: varchar, description: "Deployment that it says failed"}
  by_deployment_id: {type: varchar, description: "Deployment that brought it"}
  back_to: {type: bigint, description: "Of a rollback: position in the chain of the first deployment that contained the version gone back to", nullable: true}
  began_at: {type: timestamp with time zone, description: "When the rollback started, or the change was begun (UTC)"}
  ended_at: {type: timestamp with time zone, description: "When it reached production (UTC)"}
  finished_on: {type: date, description: "Local day on which the deployment that brought it finished"}
  url: {type: varchar, description: "Where a person can see it", nullable: true}
*/
with recursive failure_window as (
    select to_seconds(failure_window_seconds) as length from config.workspace
),

rolled_back as materialized (
    select r.*, l.deployment_id as live_deployment_id
    from (from core.rollout where is_rollback and live_sequence = sequence - 1) as r
    inner join core.rollout as l
        on l.chain_id = r.chain_id and l.environment = r.environment and l.sequence = r.live_sequence
    cross join failure_window as w
    where r.started_at <= l.finished_at + w.length
),

behind as (
    select
        u.unit, r.chain_id, r.environment, r.sha, r.deployment_id as by_deployment_id, r.started_at, r.finished_at,
        d.deployment_id, d.finished_at as failed_at
    from rolled_back as r
    inner join core.deployment as d on d.deployment_id = r.live_deployment_id
    inner join core.fault_unit as u on u.chain_id = r.chain_id and not u.is_rest
),

-- What went back in several environments may find another version in each: the latest counts.
latest as (
    select *
    from behind
    qualify (failed_at, deployment_id) = max((failed_at, deployment_id)) over (partition by unit, by_deployment_id)
),

went_back as (
    select
        unit, by_deployment_id, deployment_id,
        arg_min({chain_id: chain_id, sha: sha}, (finished_at, environment, chain_id)) as at_first,
        min(started_at) as began_at, min(finished_at) as ended_at
    from latest
    group by all
),

-- With the version that it went back to.
gone_back as materialized (
    select r.*, c.chain_id, commit_key(c.source, c.repository_id, r.at_first.sha) as commit_key
    from went_back as r
    inner join core.chain as c on c.chain_id = r.at_first.chain_id
),

reverting as materialized (
    select change_key, reverts_change_key from core.change where reverts_change_key is not null
),

-- Who reverts a revert brings the change back.
revert as (
    select r.change_key, c.kind <> 'revert' as is_revert
    from reverting as r
    inner join (
        from core.change
        semi join (select reverts_change_key as change_key from reverting where is_any(reverts_change_key)) using (change_key)
    ) as c on c.change_key = r.reverts_change_key
    where c.reverts_change_key is null
    union all
    select r.change_key, not b.is_revert
    from reverting as r
    inner join revert as b on b.change_key = r.reverts_change_key
),

-- Where a change counts: in services, or else in the repository.
unit_change as (
    select u.unit, u.chain_id, c.change_key, c.change_id, c.is_hotfix, c.first_authored_at, c.reverts_change_key, c.url
    from (
        -- Of a disjunction, a file would be read whole.
        from core.change where reverts_change_key is not null
        union all
        from core.change where is_hotfix and reverts_change_key is null
    ) as c
    inner join core.change_chain as m using (change_key)
    inner join core.fault_unit as u using (chain_id)
    qualify not u.is_rest or bool_and(u.is_rest) over (partition by c.change_key)
),

of_revert as (
    select
        u.unit, u.change_key, u.change_id, u.chain_id, s.deployment_id, s.sequence, s.shipped_at as failed_at,
        'revert' as kind, u.first_authored_at, u.url
    from unit_change as u
    inner join revert as r on r.change_key = u.change_key and r.is_revert
    inner join (
        from core.shipment
        semi join (select reverts_change_key as change_key from reverting where is_any(reverts_change_key)) using (change_key)
    ) as s on s.chain_id = u.chain_id and s.change_key = u.reverts_change_key
    where s.left_out is distinct from 'baseline'
),

of_hotfix as (
    select
        u.unit, u.change_key, u.change_id, u.chain_id, d.deployment_id, d.sequence, d.finished_at, 'hotfix',
        u.first_authored_at, u.url
    from unit_change as u
    asof inner join (
        select chain_id, finished_at, max(sequence) as sequence, max_by(deployment_id, sequence) as deployment_id
        from core.chain_deployment
        group by chain_id, finished_at
    ) as d on d.chain_id = u.chain_id and d.finished_at <= u.first_authored_at
    where u.is_hotfix and u.reverts_change_key is null
),

shipped as (
    select
        f.unit, f.kind, f.change_id, f.chain_id, f.deployment_id, s.deployment_id as by_deployment_id,
        least(coalesce(f.first_authored_at, s.shipped_at), s.shipped_at) as began_at, s.shipped_at as ended_at,
        s.shipped_on, f.url
    from (from of_revert union all from of_hotfix) as f
    inner join (
        from core.shipment semi join (select change_key from unit_change where is_any(change_key)) using (change_key)
    ) as s on s.chain_id = f.chain_id and s.change_key = f.change_key
    cross join failure_window as w
    where s.sequence > f.sequence and s.shipped_at <= f.failed_at + w.length
)

select
    r.unit, 'rollback' as kind, r.by_deployment_id as evidence_id, r.chain_id, r.deployment_id,
    r.by_deployment_id, k.sequence as back_to, r.began_at, r.ended_at, d.finished_on, d.url
from gone_back as r
inner join core.deployment as d on d.deployment_id = r.by_deployment_id
left join (
    from lineage.label semi join (select commit_key from gone_back where is_any(commit_key)) using (commit_key)
) as k on k.line_id = r.chain_id and k.commit_key = r.commit_key
union all
select unit, kind, change_id, chain_id, deployment_id, by_deployment_id, null, began_at, ended_at, shipped_on, url
from shipped
