-- Median of `value` by Kaplan and Meier (1958); what has not `ended` lasted longer than its value. Where the
-- curve is flat at one half it is the middle of that piece, as an even-sized median is, and unknown while the piece
-- has no end. The interval is that of order statistics on the effective sample size (Dorey and Korn, Statistics in
-- Medicine 6, 1987): by Greenwood's variance V, S(1 - S) / V. Where all have ended it is the plain median's; simulated
-- coverage 91-98 % for 6 to 100, up to half of them open.
with counted as (
    select
        subject_id, period_id, value,
        count(*) filter (left_out is null) as observed,
        count(*) filter (left_out is null and ended) as ends
    from observation
    group by all
),

at_risk as (
    select *, sum(observed) over onwards as risk, sum(observed) over figure as n
    from counted
    where observed > 0
    window
        figure as (partition by subject_id, period_id),
        onwards as (partition by subject_id, period_id order by value desc)
),

curve as (
    select
        *,
        product((risk - ends) / risk) over so_far as survival,
        sum(ends / (risk * nullif(risk - ends, 0))) over so_far as spread,
        lead(value) over so_far as next_value
    from at_risk
    where ends > 0
    window so_far as (partition by subject_id, period_id order by value)
),

-- At zero there is no variance to go by: the size stays what it was.
effective as (
    select
        *,
        if(survival > 0, floor((1 - survival) / (survival * spread) + 1e-9), null) as size_here,
        coalesce(size_here, lag(size_here) over so_far, n)::bigint as size,
        size * (1 - survival) + 1e-9 as failed
    from curve
    window so_far as (partition by subject_id, period_id order by value)
),

figure as (
    select
        subject_id, period_id,
        arg_min_null(if(abs(survival - 0.5) < 1e-9, (value + next_value) / 2, value), value)
            filter (survival <= 0.5 + 1e-9) as median,
        min(value) filter (failed >= quantile_rank_low(size, 0.5)) as low,
        min(value) filter (failed >= quantile_rank_high(size, 0.5)) as high
    from effective
    group by all
),

size as (
    select
        subject_id, period_id, count(*) filter (left_out is null) as n, excluded(left_out) as excluded
    from observation
    group by all
)

select subject_id, period_id, f.median as value, n, f.low, f.high, excluded
from size
left join figure as f using (subject_id, period_id)
