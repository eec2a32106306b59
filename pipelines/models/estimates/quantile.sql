-- A quantile (type 7) of `value`, with the interval of its order statistics.
with sized as (
    select *, coalesce(len(ascending), 0) as n from ordered
),

-- Asked of Python once for each size, and in order, which makes it one call.
rank as (
    select n, quantile_rank_low(n, $quantile) as low, quantile_rank_high(n, $quantile) as high
    from (select distinct n from sized order by n)
)

select
    subject_id, period_id,
    quantile_of_sorted(s.ascending, $quantile) as value, n,
    s.ascending[r.low] as low, s.ascending[r.high] as high,
    s.excluded
from sized as s
inner join rank as r using (n)
