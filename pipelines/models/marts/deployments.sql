/*
description: Deployments to production per period.
metric:
  title: Deployments
  unit: count
  definition: >-
    Number of deployments to production that finished in the period. With git alone a deployment is a
    tag that matches `releases`, dated by its tagger, or by its commit where the tag is lightweight.
  estimate: count
*/
select
    s.level, s.key, grain, period_start(grain, d.finished_on) as period_start,
    count(*) as value, count(*) as n, null as low, null as high, null::map(varchar, bigint) as excluded
from (select *, unnest(grains()) as grain from core.deployment) as d
inner join core.subject as s using (source, repository_id)
group by all
