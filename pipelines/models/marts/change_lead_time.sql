/*
description: Time from writing a change to its deployment.
metric:
  title: Change lead time
  unit: seconds
  definition: >-
    Median, over the changes first shipped in the period, of the time from the first commit's author
    date to the end of the deployment. Bots, negative times and what the first known deployment
    contained are left out and counted. 90 % interval by Woodruff with deployments as clusters, from 10
    deployments on. Above a service, the median over services.
  better: lower
  estimate: median
*/
with change as (
    select s.level, s.key, c.*, unnest(grains()) as grain
    from core.change as c
    inner join core.subject as s using (source, repository_id)
),

dated as (
    select *, period_start(grain, deployed_on) as period_start from change
),

figure as (
    select
        level, key, grain, period_start,
        list(lead_time_seconds order by lead_time_seconds) filter (left_out is null) as lead_times,
        count(distinct deployment_id) filter (left_out is null) as deployments
    from dated
    group by all
),

middle as (
    select *, quantile_of_sorted(lead_times, 0.5) as median from figure
),

-- Changes of one deployment ship together, so the variance of the share at or below the median is that
-- between deployments. In whole numbers, n times each deployment's residual, sums do not depend on order.
cluster as (
    select
        level, key, grain, period_start, m.deployments, len(m.lead_times) as changes,
        count(*) filter (d.lead_time_seconds <= m.median) as below_here,
        len(m.lead_times) * below_here
        - count(*) * sum(below_here) over (partition by level, key, grain, period_start) as residual
    from dated as d
    inner join middle as m using (level, key, grain, period_start)
    where d.left_out is null and m.deployments >= 10
    group by level, key, grain, period_start, d.deployment_id, m.deployments, m.lead_times
),

spread as (
    select
        level, key, grain, period_start,
        sqrt(deployments / (deployments - 1) * sum(residual * residual)) / (changes * changes)
        * t_quantile_95(deployments - 1) as margin
    from cluster
    group by level, key, grain, period_start, deployments, changes
),

reason as (
    select level, key, grain, period_start, left_out, count(*) as changes
    from dated
    where left_out is not null
    group by all
),

excluded as (
    select level, key, grain, period_start, map_from_entries(list((left_out, changes) order by left_out)) as excluded
    from reason
    group by all
)

select
    level, key, grain, period_start,
    m.median as value,
    coalesce(len(m.lead_times), 0) as n,
    case when s.margin < 0.5 then quantile_of_sorted(m.lead_times, 0.5 - s.margin) end as low,
    case when s.margin < 0.5 then quantile_of_sorted(m.lead_times, 0.5 + s.margin) end as high,
    e.excluded
from middle as m
left join spread as s using (level, key, grain, period_start)
left join excluded as e using (level, key, grain, period_start)
