-- Share of what is observed that is a `hit`, with Wilson's interval.
select
    offer, level, key, grain, period_start,
    count_if(left_out is null and hit) / nullif(count_if(left_out is null), 0) as value,
    count_if(left_out is null) as n,
    if(n > 0, greatest(wilson_middle(n * value, n) - wilson_margin(n * value, n), 0), null) as low,
    if(n > 0, least(wilson_middle(n * value, n) + wilson_margin(n * value, n), 1), null) as high,
    excluded(left_out) as excluded
from placed
group by all
