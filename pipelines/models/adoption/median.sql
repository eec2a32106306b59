-- Median (type 7) of `value`, with the interval of its order statistics.
with ordered as (
    select
        offer, level, key, grain, period_start,
        list_sort(list(value) filter (left_out is null)) as ascending,
        excluded(left_out) as excluded
    from placed
    group by all
)

select
    offer, level, key, grain, period_start,
    quantile_of_sorted(ascending, 0.5) as value,
    coalesce(len(ascending), 0) as n,
    ascending[quantile_rank_low(len(ascending), 0.5)] as low,
    ascending[quantile_rank_high(len(ascending), 0.5)] as high,
    excluded
from ordered
