/*
description: Changes that reached production, by chain, each with the first deployment that contains it.
grain: one row per chain and change
key: [chain_id, change_key]
day: shipped_on
by: [change_key]
touched:
  core.change_label: [change_key]
  core.change_chain: [change_key]
  core.change: [change_key]
  core.chain_deployment: >-
    select l.change_key
    from changed as d
    inner join core.change_label as l on l.line_id = d.chain_id and l.sequence = d.sequence
  core.line: >-
    select l.change_key
    from changed as e
    inner join core.change_label as l on l.line_id = e.chain_id
    where e.environment is not null and e.sequence = 1
  core.rollout: >-
    select s.change_key
    from changed as r
    inner join core.shipment as s
        on s.chain_id = r.chain_id and s.shipped_at between r.finished_at and r.finished_at + interval 90 day
    union all
    select l.change_key
    from changed as r
    inner join core.change_label as l
        on l.line_id = r.chain_id || '#' || r.environment and l.sequence = r.sequence
columns:
  chain_id: {type: varchar, description: "Chain"}
  change_key: {type: ubigint, description: "Change, as a number"}
  deployment_id: {type: varchar, description: "Deployment that shipped it first"}
  sequence: {type: bigint, description: "Position of that deployment in the chain"}
  shipped_at: {type: timestamp with time zone, description: "When that deployment finished (UTC)"}
  shipped_on: {type: date, description: "Local day on which it finished"}
  fully_shipped_at: {type: timestamp with time zone, description: "When every environment live at that time had it (UTC); null while one lacks it, and for the whole of a repository that services share", nullable: true}
  lead_time_seconds: {type: double, description: "Seconds from its first commit's author's date to the deployment; null where left out", nullable: true}
  left_out: {type: varchar, description: "Why it has no lead time that counts", nullable: true, accepted: [baseline, bot, undated, negative]}
*/
with label as not materialized (
    from core.change_label
    -- refresh: semi join touched using (change_key)
),

shipped as (
    select
        l.line_id as chain_id, l.change_key, d.deployment_id, d.sequence, d.finished_at as shipped_at,
        d.finished_on as shipped_on,
        epoch(d.finished_at) - epoch(c.first_authored_at) as seconds,
        case
            when d.is_baseline then 'baseline'
            when c.is_bot and not w.include_bots then 'bot'
            when c.first_authored_at is null then 'undated'
            when d.finished_at < c.first_authored_at then 'negative'
        end as left_out
    from label as l
    inner join (
        from core.change_chain
        -- refresh: semi join touched using (change_key)
    ) as m on m.chain_id = l.line_id and m.change_key = l.change_key
    inner join core.chain_deployment as d on d.chain_id = l.line_id and d.sequence = l.sequence
    inner join core.change as c on c.change_key = l.change_key
    cross join config.workspace as w
),

environment as (
    select distinct line_id, chain_id, environment from core.line where environment is not null
),

-- Environments that live at the time: not silent for 90 days. The one that shipped it is.
live as (
    select s.chain_id, s.sequence, e.line_id, e.environment
    from (select distinct chain_id, sequence, shipped_at from shipped) as s
    inner join environment as e using (chain_id)
    asof inner join core.rollout as r
        on r.chain_id = s.chain_id and r.environment = e.environment and r.finished_at <= s.shipped_at
    where r.finished_at >= s.shipped_at - interval 90 day
),

fully as (
    select s.chain_id, s.change_key, if(count(r.finished_at) = count(*), max(r.finished_at), null) as fully_shipped_at
    from shipped as s
    inner join live as v using (chain_id, sequence)
    left join label as l on l.line_id = v.line_id and l.change_key = s.change_key
    left join core.rollout as r
        on r.chain_id = v.chain_id and r.environment = v.environment and r.sequence = l.sequence
    group by all
)

select
    s.chain_id, s.change_key, s.deployment_id, s.sequence, s.shipped_at, s.shipped_on,
    case when e.chain_id is not null then f.fully_shipped_at when c.is_leaf then s.shipped_at end as fully_shipped_at,
    case when s.left_out is null then s.seconds end as lead_time_seconds,
    s.left_out
from shipped as s
inner join core.chain as c using (chain_id)
left join fully as f using (chain_id, change_key)
left join (select distinct chain_id from environment) as e using (chain_id)
