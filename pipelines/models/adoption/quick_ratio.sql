-- Gains (`hit`) over losses; of Wilson's interval [l, u] of the share of gains, l / (1 - l) to u / (1 - u).
with counted as (
    select
        offer, level, key, grain, period_start,
        count_if(left_out is null and hit) as gains,
        count_if(left_out is null and not hit) as losses,
        gains + losses as n,
        wilson_middle(gains, n) - wilson_margin(gains, n) as low,
        wilson_middle(gains, n) + wilson_margin(gains, n) as high,
        excluded(left_out) as excluded
    from placed
    group by all
)

-- Without a loss there is no ratio.
select
    offer, level, key, grain, period_start,
    if(losses > 0, gains / losses, null) as value,
    n,
    if(losses > 0, greatest(low, 0) / (1 - greatest(low, 0)), null) as low,
    if(losses > 0, high / (1 - high), null) as high,
    excluded
from counted
