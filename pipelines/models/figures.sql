-- A metric's figures: those of services and repositories that there are, and above them one for every period.
with own as (
    select
        s.subject_id, s.period_id, s.level, s.key, s.subject_key, s.grain, s.period_start, f.value, f.n, f.low, f.high, f.excluded
    from figure as f
    inner join core.figure_subject as w using (subject_id)
    inner join core.subject_period as s on s.subject_id = w.own_id and s.period_id = f.period_id
),

member as (
    select
        r.subject_id, o.period_id,
        list_sort(list(o.value) filter (o.value is not null)) as figures,
        flatten(list(map_entries(o.excluded)) filter (o.excluded is not null)) as excluded
    from own as o
    inner join core.roll_up as r on r.member_id = o.subject_id
    group by all
),

-- The median over services with equal weight, since a pooled figure is the busiest service's. Of a census
-- those without a figure that were ever deployed have 0.
above as (
    select
        s.subject_id, period_id(p.grain, p.period_start) as period_id, p.level, p.key, p.subject_key, p.grain,
        p.period_start, p.services,
        if(
            $is_census,
            list_concat(
                list_resize([]::double[], p.deployed_services - coalesce(len(m.figures), 0), 0), m.figures
            ),
            m.figures
        ) as figures,
        m.excluded
    from marts.period as p
    inner join core.figure_subject as s using (level, key)
    left join member as m on m.subject_id = s.subject_id and m.period_id = period_id(p.grain, p.period_start)
    where s.own_id is null
),

above_excluded as (
    select subject_id, period_id, map_from_entries(list_sort(list((reason, things)))) as excluded
    from (
        select subject_id, period_id, entry.key as reason, sum(entry.value)::bigint as things
        from (select subject_id, period_id, unnest(excluded) as entry from above)
        group by all
        union all
        select subject_id, period_id, 'services_without_figure', services - coalesce(len(figures), 0)
        from above
        where services > coalesce(len(figures), 0)
    )
    group by all
),

combined as (
    select level, key, subject_key, grain, period_start, value, n, low, high, excluded
    from own
    where level <> 'tenure'
    union all
    select
        a.level, a.key, a.subject_key, a.grain, a.period_start,
        case when not $is_sum then quantile_of_sorted(a.figures, 0.5)
            when len(a.figures) > 0 then coalesce(f.value, 0) end,
        case when $is_sum then coalesce(f.n, 0) else coalesce(len(a.figures), 0) end,
        case when not $is_sum then a.figures[quantile_rank_low(len(a.figures), 0.5)] end,
        case when not $is_sum then a.figures[quantile_rank_high(len(a.figures), 0.5)] end,
        e.excluded
    from above as a
    left join figure as f using (subject_id, period_id)
    left join above_excluded as e using (subject_id, period_id)
)

select
    level, key, subject_key, grain, period_start,
    value::double as value, n::bigint as n, low::double as low, high::double as high, excluded::json as excluded
from combined
order by subject_key, grain, period_start
