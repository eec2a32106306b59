-- Median (type 7) of `value`, with Woodruff's interval: those of one `cluster` are not independent.
with clustered as materialized (
    select
        subject_id, period_id, hash(cluster) as cluster,
        list(value) filter (left_out is null and value is not null) as members
    from observation
    group by all
),

ordered as (
    select
        subject_id, period_id,
        list_sort(flatten(list(members) filter (members is not null))) as ascending, count(members) as clusters
    from clustered
    group by all
),

middle as (
    select *, quantile_of_sorted(ascending, 0.5) as median, len(ascending) as n from ordered
),

-- The variance of the share at or below the median is that between clusters. In whole numbers, n times
-- each cluster's residual, sums do not depend on order.
residual as (
    select
        subject_id, period_id, m.n, m.clusters,
        len(list_filter(c.members, lambda member: member <= m.median)) as below,
        m.n * below - len(c.members) * sum(below) over (partition by subject_id, period_id) as residual
    from clustered as c
    inner join middle as m using (subject_id, period_id)
    where c.members is not null and m.clusters >= 10
),

spread as (
    select
        subject_id, period_id,
        sqrt(clusters / (clusters - 1) * sum(residual * residual)) / (n * n)
        * t_quantile_95(clusters - 1) as margin
    from residual
    group by subject_id, period_id, n, clusters
),

left_out as (
    select subject_id, period_id, excluded(left_out) as excluded
    from observation
    where left_out is not null
    group by all
)

select
    subject_id, period_id,
    m.median as value,
    coalesce(m.n, 0) as n,
    case when s.margin < 0.5 then quantile_of_sorted(m.ascending, 0.5 - s.margin) end as low,
    case when s.margin < 0.5 then quantile_of_sorted(m.ascending, 0.5 + s.margin) end as high,
    l.excluded
from middle as m
left join spread as s using (subject_id, period_id)
left join left_out as l using (subject_id, period_id)
