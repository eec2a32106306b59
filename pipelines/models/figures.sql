-- A metric's figures: those of services and repositories that there are, and above them one for every period.
with figure as materialized (
    $estimate
),

-- A subject's periods of a grain follow each other.
span as (
    select subject_id, grain_id(period_id) as grain_id, min(period_id) as first_id, max(period_id) as last_id
    from core.subject_period
    group by all
),

own as (
    select w.own_id, w.level, w.subject_key, f.* exclude (subject_id)
    from figure as f
    inner join core.figure_subject as w using (subject_id)
    inner join span as s
        on s.subject_id = w.own_id and s.grain_id = grain_id(f.period_id)
        and f.period_id >= s.first_id and f.period_id <= s.last_id
),

member as (
    select r.subject_id, o.period_id, o.value, o.excluded
    from own as o
    inner join core.roll_up as r on r.member_id = o.own_id
),

valued as (
    select subject_id, period_id, list_sort(list(value)) as known
    from member
    where value is not null
    group by all
),

-- The median over services with equal weight, since a pooled figure is the busiest service's. Of a census
-- those without a figure that were ever deployed have 0.
above as (
    select
        s.subject_id, p.period_id, p.subject_key, p.services,
        if(
            $is_census,
            list_concat(
                list_resize([]::double[], p.deployed_services - coalesce(len(v.known), 0), 0), v.known
            ),
            v.known
        ) as figures,
        coalesce(len(figures), 0) as with_figure
    from marts.period as p
    inner join core.figure_subject as s using (subject_key)
    left join valued as v using (subject_id, period_id)
    where s.own_id is null
),

left_out as (
    select subject_id, period_id, entry.key as reason, sum(entry.value)::bigint as things
    from (select subject_id, period_id, unnest(map_entries(excluded)) as entry from member)
    group by all
    union all
    select subject_id, period_id, 'services_without_figure', services - with_figure
    from above
    where services > with_figure
),

above_excluded as (
    select subject_id, period_id, map_from_entries(list_sort(list((reason, things)))) as excluded
    from left_out
    group by all
),

-- Asked of Python once for each number of services, in one call.
rank as (
    select with_figure, quantile_rank_low(with_figure, 0.5) as low, quantile_rank_high(with_figure, 0.5) as high
    from (select distinct with_figure from above order by with_figure)
),

combined as (
    select subject_key, period_id, value, n, low, high, excluded
    from own
    where level <> 'tenure'
    union all
    select
        a.subject_key, a.period_id,
        case when not $is_sum then quantile_of_sorted(a.figures, 0.5)
            when a.with_figure > 0 then coalesce(f.value, 0) end,
        if($is_sum, coalesce(f.n, 0), a.with_figure),
        case when not $is_sum then a.figures[r.low] end,
        case when not $is_sum then a.figures[r.high] end,
        e.excluded
    from above as a
    inner join rank as r using (with_figure)
    left join (from figure where $is_sum) as f using (subject_id, period_id)
    left join above_excluded as e using (subject_id, period_id)
)

select
    subject_key, period_id,
    value::double as value, n::bigint as n, low::double as low, high::double as high, excluded::json as excluded
from combined
order by subject_key, period_id
