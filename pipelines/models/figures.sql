-- A metric's figures: those of services and repositories that there are, and above them one for every period.
with own as (
    select s.level, s.key, s.grain, s.period_start, f.value, f.n, f.low, f.high, f.excluded
    from figure as f
    inner join core.subject_period as s using (level, key, grain, period_start)
),

member as (
    select
        r.level, r.key, o.grain, o.period_start,
        list_sort(list(o.value) filter (o.value is not null)) as figures,
        flatten(list(map_entries(o.excluded)) filter (o.excluded is not null)) as excluded
    from own as o
    inner join core.roll_up as r on r.member_level = o.level and r.member = o.key
    group by all
),

-- The median over services with equal weight, since a pooled figure is the busiest service's. Of a census
-- those without a figure that were ever deployed have 0.
above as (
    select
        p.level, p.key, p.grain, p.period_start, p.services,
        if(
            $is_census,
            list_concat(
                list_resize([]::double[], p.deployed_services - coalesce(len(m.figures), 0), 0), m.figures
            ),
            m.figures
        ) as figures,
        m.excluded
    from marts.period as p
    left join member as m using (level, key, grain, period_start)
    where p.level in ('organisation', 'team')
),

above_excluded as (
    select level, key, grain, period_start, map_from_entries(list_sort(list((reason, things)))) as excluded
    from (
        select level, key, grain, period_start, entry.key as reason, sum(entry.value)::bigint as things
        from (select level, key, grain, period_start, unnest(excluded) as entry from above)
        group by all
        union all
        select level, key, grain, period_start, 'services_without_figure', services - coalesce(len(figures), 0)
        from above
        where services > coalesce(len(figures), 0)
    )
    group by all
),

combined as (
    select level, key, grain, period_start, value, n, low, high, excluded
    from own
    where level <> 'tenure'
    union all
    select
        a.level, a.key, a.grain, a.period_start,
        case when not $is_sum then quantile_of_sorted(a.figures, 0.5)
            when len(a.figures) > 0 then coalesce(f.value, 0) end,
        case when $is_sum then coalesce(f.n, 0) else coalesce(len(a.figures), 0) end,
        case when not $is_sum then a.figures[quantile_rank_low(len(a.figures), 0.5)] end,
        case when not $is_sum then a.figures[quantile_rank_high(len(a.figures), 0.5)] end,
        e.excluded
    from above as a
    left join figure as f using (level, key, grain, period_start)
    left join above_excluded as e using (level, key, grain, period_start)
)

select
    level, key, grain, period_start,
    value::double as value, n::bigint as n, low::double as low, high::double as high, excluded::json as excluded
from combined
order by level, key, grain, period_start
