/*
description: Deployments to production per week.
metric:
  title: Deployment frequency
  unit: per_week
  definition: >-
    7 × deployments to production that finished in the period / local days of the period; 0 in a period
    without one between first and last activity. A census, so it has no interval. Above a service, the
    median over services.
  better: higher
  estimate: frequency
*/
with counted as (
    select s.level, s.key, grain, period_start(grain, d.finished_on) as period_start, count(*) as deployments
    from (select *, unnest(grains()) as grain from core.deployment) as d
    inner join core.subject as s using (source, repository_id)
    group by all
)

select
    level, key, grain, period_start,
    7 * deployments / (period_end(grain, period_start) - period_start) as value,
    deployments as n, null as low, null as high, null::map(varchar, bigint) as excluded
from counted
