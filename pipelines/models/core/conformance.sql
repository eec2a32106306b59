/*
description: How much of what is asked of each active service it did, and when.
grain: one row per service and time
key: [service, valid_from]
needs: config.service_scope
columns:
  service: {type: varchar, description: "Name of the service"}
  valid_from: {type: date, description: "First local day"}
  valid_until: {type: date, description: "Local day after the last; infinity while it lasts"}
  passed: {type: 'decimal(18,3)', description: "Weight of the checks passed"}
  asked: {type: 'decimal(18,3)', description: "Weight of the checks asked of it"}
  checks: {type: bigint, description: "Number of the checks asked of it"}
*/
with moment as (
    select service, valid_from as day, kind, weight, 1 as checks from core.check_life
    union all
    select service, valid_until, kind, -weight, -1 from core.check_life
),

running as (
    select
        service, day as valid_from, lead(day) over so_far as valid_until,
        sum(coalesce(sum(weight) filter (kind = 'passed'), 0)) over so_far as passed,
        sum(coalesce(sum(weight) filter (kind = 'asked'), 0)) over so_far as asked,
        sum(coalesce(sum(checks) filter (kind = 'asked'), 0)) over so_far as checks
    from moment
    group by service, day
    window so_far as (partition by service order by day)
)

select
    service, valid_from, valid_until, passed::decimal(18, 3) as passed, asked::decimal(18, 3) as asked,
    checks::bigint as checks
from running
where checks > 0
