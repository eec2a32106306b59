-- A quantile (type 7) of `value`, with the interval of its order statistics.
select
    subject_id, period_id,
    quantile_of_sorted(ascending, $quantile) as value,
    coalesce(len(ascending), 0) as n,
    ascending[quantile_rank_low(len(ascending), $quantile)] as low,
    ascending[quantile_rank_high(len(ascending), $quantile)] as high,
    excluded
from ordered
