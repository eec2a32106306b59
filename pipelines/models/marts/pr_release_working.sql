/*
description: From the merge of a pull request to its deployment, in working days.
metric:
  title: Release, working days
  unit: seconds
  definition: >-
    Median, over the pull requests first shipped in the period, of the time from the merge to the end of
    the deployment. Bots, what was deployed before its merge, and what the first known deployment
    contained are left out and counted. 90 % interval by Woodruff with deployments as clusters, from 10
    deployments on. Only working days of the owning team count, whole, by its calendar and timezone;
    without an owner, or with several whose days differ, by the workspace's. Above a service, the median
    over services.
  better: lower
  estimate: clustered_median
*/
select
    s.subject_id, p.period_id,
    x.release_working_seconds as value, x.deployment_id as cluster, x.left_out
from core.pull_request_release as x
inner join core.chain_subject as s
    on s.chain_id = x.chain_id and during(x.shipped_at, s.valid_from, s.valid_until)
inner join core.period as p on p.day = x.shipped_on
