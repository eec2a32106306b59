/*
description: From being ready for review to the first one of a pull request.
metric:
  title: Pickup
  unit: seconds
  definition: >-
    Median, over the pull requests merged in the period, of the time from being ready for review to the
    first review by a human other than the author; 0 where that came before. Bots, pull requests nobody
    reviewed before the merge, and negative times are left out and counted. Above a service, the median
    over services.
  better: lower
  estimate: median
*/
select s.subject_id, p.period_id, x.pickup_seconds as value, x.review_left_out as left_out
from core.pull_request as x
inner join core.change_chain as c using (change_key)
inner join core.chain_subject as s
    on s.chain_id = c.chain_id and during(x.merged_at, s.valid_from, s.valid_until)
inner join core.period as p on p.day = x.merged_on
