-- Number of distinct things in a week of the period. A census: no interval.
with counted as (
    select subject_id, period_id, count(distinct hash(thing)) as things from observation group by all
)

select
    subject_id, period_id,
    7 * things / (period_end(grain, period_start) - period_start) as value,
    things as n,
    null as low, null as high, null::map(varchar, bigint) as excluded
from counted
inner join (select distinct period_id, grain, period_start from core.period) as p using (period_id)
