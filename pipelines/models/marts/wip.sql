/*
description: How many pull requests are open.
metric:
  title: Work in progress
  unit: count
  definition: >-
    Pull requests open at the end of the period, drafts among them; of a period that is not over, when
    they were last read. Those of bots are left out and counted. 0 from the first pull request on. A
    census: no interval. Above a service, the median over services.
  better: lower
  estimate: given
*/
with open as (
    select s.subject_id, period_id(w.grain, w.period_start) as period_id, list_transform(w.pull_requests, lambda p: p.left_out) as reasons
    from core.work_in_progress as w
    inner join core.chain_subject as s
        on s.chain_id = w.chain_id and if(w.as_of > s.valid_from, w.as_of <= s.valid_until, false)
),

counted as (
    select
        subject_id, period_id,
        sum(len(list_filter(reasons, lambda r: r is null))) as n,
        sum(len(list_filter(reasons, lambda r: r = 'bot'))) as bots
    from open
    group by all
)

select
    subject_id, period_id, n::double as value, n::bigint as n, null::double as low, null::double as high,
    case when bots > 0 then map {'bot': bots::bigint} end as excluded
from counted
