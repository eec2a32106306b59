-- Share of what is observed of a service that is a `hit`; above it the median over services with equal weight.
with own as (
    select offer, level, key, grain, period_start, service, count_if(hit) as hits, count(*) as n, hits / n as value
    from placed
    group by offer, level, key, grain, period_start, service
),

ordered as (
    select offer, level, key, grain, period_start, list_sort(list(value)) as ascending
    from own
    where level <> 'service'
    group by all
)

select
    offer, level, key, grain, period_start, value, n,
    greatest(wilson_middle(hits, n) - wilson_margin(hits, n), 0) as low,
    least(wilson_middle(hits, n) + wilson_margin(hits, n), 1) as high,
    null as excluded
from own
where level = 'service'
union all
select
    offer, level, key, grain, period_start,
    quantile_of_sorted(ascending, 0.5),
    len(ascending),
    ascending[quantile_rank_low(len(ascending), 0.5)],
    ascending[quantile_rank_high(len(ascending), 0.5)],
    null
from ordered
