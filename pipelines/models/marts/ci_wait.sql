/*
description: How long CI keeps a pull request waiting.
metric:
  title: Waiting for CI
  unit: seconds
  definition: >-
    Median, over the pull requests merged in the period, of the time from being opened to the merge in which
    at least one attempt of a CI run on one of their commits was queued or running. What runs at the same
    time counts once; skipped runs and those that begin after the merge do not count. Bots and pull requests
    without a run are left out and counted; so are those with an attempt that is still running, or without
    or with negative times. Above a service, the median over services.
  better: lower
  estimate: median
  coverage: ci
*/
select s.subject_id, p.period_id, x.wait_seconds as value, x.left_out
from core.pull_request_wait as x
inner join core.change_chain as c using (change_key)
inner join core.chain_subject as s
    on s.chain_id = c.chain_id and during(x.merged_at, s.valid_from, s.valid_until)
inner join core.period as p on p.day = x.merged_on
