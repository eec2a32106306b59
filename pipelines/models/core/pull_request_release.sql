/*
description: How long merged pull requests waited for the deployment that shipped them, by chain.
grain: one row per chain and change that is a pull request
key: [chain_id, change_key]
day: shipped_on
by: [change_key]
touched:
  core.shipment: [change_key]
  core.change: [change_key]
  core.change_calendar: [change_key]
  calendar.day: >-
    select change_key from core.shipment where shipped_at >= (select min(starts_at) from changed)
    union all
    select change_key from core.change where merged_at >= (select min(starts_at) from changed)
columns:
  chain_id: {type: varchar, description: "Chain"}
  change_key: {type: ubigint, description: "Change, as a number"}
  deployment_id: {type: varchar, description: "Deployment that shipped it first"}
  shipped_at: {type: timestamp with time zone, description: "When that deployment finished (UTC)"}
  shipped_on: {type: date, description: "Local day on which it finished"}
  release_seconds: {type: double, description: "Seconds from the merge to the deployment; null where left out", nullable: true}
  release_working_seconds: {type: double, description: "Those of them on working days", nullable: true}
  left_out: {type: varchar, description: "Why it has no release that counts", nullable: true, accepted: [baseline, bot, deployed_before_merge]}
*/
with waited as (
    select
        s.chain_id,
        s.change_key,
        s.deployment_id,
        c.merged_at,
        s.shipped_at,
        s.shipped_on,
        k.calendar,
        case
            when s.left_out in ('baseline', 'bot') then s.left_out
            when s.shipped_at < c.merged_at then 'deployed_before_merge'
        end as left_out
    from core.shipment as s
    -- refresh: semi join touched using (change_key)
    inner join core.change as c using (change_key)
    inner join core.change_calendar as k using (change_key)
)

select
    r.chain_id,
    r.change_key,
    r.deployment_id,
    r.shipped_at,
    r.shipped_on,
    case when r.left_out is null then epoch(r.shipped_at) - epoch(r.merged_at) end as release_seconds,
    case when r.left_out is null then worked_until(shipped, r.shipped_at) - worked_until(merged, r.merged_at) end
        as release_working_seconds,
    r.left_out
from waited as r
left join calendar.day as merged
    on merged.calendar = r.calendar and merged.utc_day = utc_day(r.merged_at)
    and r.merged_at >= merged.starts_at and r.merged_at < merged.ends_at
left join calendar.day as shipped
    on shipped.calendar = r.calendar and shipped.utc_day = utc_day(r.shipped_at)
    and r.shipped_at >= shipped.starts_at and r.shipped_at < shipped.ends_at
