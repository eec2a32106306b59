-- Each service's `value`, and above it the median over services, day by day, with the interval of its order statistics.
with moment as (
    select distinct offer, level, key, unnest([valid_from, valid_until]) as day from placed where level <> 'service'
),

piece as (
    select offer, level, key, day as valid_from, lead(day) over (partition by offer, level, key order by day) as valid_until
    from moment
),

ordered as (
    select p.offer, p.level, p.key, p.valid_from, p.valid_until, list_sort(list(o.value)) as ascending
    from piece as p
    inner join placed as o
        on o.offer = p.offer and o.level = p.level and o.key = p.key and o.valid_from <= p.valid_from
        and o.valid_until >= p.valid_until
    group by all
)

select offer, level, key, valid_from, valid_until, value, n, null as low, null as high, null as excluded
from placed
where level = 'service'
union all
select
    offer, level, key, valid_from, valid_until,
    quantile_of_sorted(ascending, 0.5),
    len(ascending),
    ascending[quantile_rank_low(len(ascending), 0.5)],
    ascending[quantile_rank_high(len(ascending), 0.5)],
    null
from ordered
