/*
description: From the first review to the merge of a pull request.
metric:
  title: Review
  unit: seconds
  definition: >-
    Median, over the pull requests merged in the period, of the time from the first review by a human
    other than the author, but no sooner than it was ready for one, to the merge. Bots, pull requests
    nobody reviewed before the merge, and negative times are left out and counted. Above a service, the
    median over services.
  better: lower
  estimate: median
*/
select s.subject_id, p.period_id, x.review_seconds as value, x.review_left_out as left_out
from core.pull_request as x
inner join core.change_chain as c using (change_key)
inner join core.chain_subject as s
    on s.chain_id = c.chain_id and during(x.merged_at, s.valid_from, s.valid_until)
inner join core.period as p on p.day = x.merged_on
