-- Number of distinct things in a week of the period. A census: no interval.
with counted as (
    select level, key, grain, period_start, count(distinct thing) as things from observation group by all
)

select
    level, key, grain, period_start,
    7 * things / (period_end(grain, period_start) - period_start) as value,
    things as n,
    null as low, null as high, null::map(varchar, bigint) as excluded
from counted
