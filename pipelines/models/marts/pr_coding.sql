/*
description: From the first commit to being ready for review of a pull request.
metric:
  title: Coding
  unit: seconds
  definition: >-
    Median, over the pull requests merged in the period, of the time from the first commit's author date
    to when it was last made ready for review, or opened where it never was a draft. Bots, and pull
    requests whose first commit is not dated or came after that, are left out and counted. Above a
    service, the median over services.
  better: lower
  estimate: median
*/
select s.subject_id, p.period_id, x.coding_seconds as value, x.coding_left_out as left_out
from core.pull_request as x
inner join core.change_chain as c using (change_key)
inner join core.chain_subject as s
    on s.chain_id = c.chain_id and during(x.merged_at, s.valid_from, s.valid_until)
inner join core.period as p on p.day = x.merged_on
