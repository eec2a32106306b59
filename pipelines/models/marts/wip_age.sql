/*
description: How long pull requests have been open.
metric:
  title: Age of work in progress
  unit: seconds
  definition: >-
    Median, over the pull requests open at the end of the period, of the time since each was opened; of a
    period that is not over, when they were last read. Drafts are among them. Those of bots are left out
    and counted. Above a service, the median over services.
  better: lower
  estimate: median
*/
select subject_id, period_id, pull_request.age_seconds as value, pull_request.left_out as left_out
from (
    select s.subject_id, period_id(w.grain, w.period_start) as period_id, unnest(w.pull_requests) as pull_request
    from core.work_in_progress as w
    inner join core.chain_subject as s
        on s.chain_id = w.chain_id and if(w.as_of > s.valid_from, w.as_of <= s.valid_until, false)
)
