-- Share of observations that are a `hit`, with Wilson's interval.
with counted as (
    select
        subject_id, period_id,
        count(*) filter (left_out is null and hit) as hits,
        count(*) filter (left_out is null) as n,
        excluded(left_out) as excluded
    from observation
    group by all
)

select
    subject_id, period_id,
    if(n > 0, hits / n, null) as value,
    n,
    if(n > 0, greatest(wilson_middle(hits, n) - wilson_margin(hits, n), 0), null) as low,
    if(n > 0, least(wilson_middle(hits, n) + wilson_margin(hits, n), 1), null) as high,
    excluded
from counted
