/*
description: How often CI fails for no reason in the change.
metric:
  title: CI flaky rate
  unit: ratio
  definition: >-
    Share of the commits that a workflow ran on in which it, or a job of it, failed and later passed on
    the same commit. Counted once per workflow and commit, by the day its first run ended. A failure that
    nobody tried again says nothing: such commits are left out and counted, as are unfinished runs and
    those whose commit is not known. Above a service, the median over services.
  better: lower
  estimate: rate
  coverage: ci
*/
select s.subject_id, p.period_id, x.is_flaky as hit, x.left_out
from core.workflow_commit as x
inner join core.chain_subject as s
    on s.chain_id = x.chain_id and during(x.counted_at, s.valid_from, s.valid_until)
inner join core.period as p on p.day = x.counted_on
