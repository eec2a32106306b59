/*
description: Rows of one metric, at every level and for every period.
grain: one row per level, key, grain and period
key: [level, key, grain, period_start]
columns:
  metric: {type: varchar, description: "Name of the metric"}
  level: {type: varchar, description: "What the figure is about", accepted: [organisation, team, service, repository]}
  key: {type: varchar, description: "Its name at that level"}
  grain: {type: varchar, description: "Length of the period", accepted: [day, week, month, quarter, year]}
  period_start: {type: date, description: "First local day"}
  period_end: {type: date, description: "First local day after the period"}
  value: {type: double, description: "The figure in `unit`; null without data", nullable: true}
  unit: {type: varchar, description: "Unit of value, low and high"}
  n: {type: bigint, description: "What the value rests on; services at the levels above a service"}
  low: {type: double, description: "Lower end of the 90 % interval; null where none can be given", nullable: true}
  high: {type: double, description: "Upper end of the 90 % interval; null where none can be given", nullable: true}
  status: {type: varchar, description: "First that holds", accepted: [suppressed, no_data, too_few, ok]}
  partial: {type: boolean, description: "A source that feeds the figure does not cover the end of the period"}
  excluded: {type: json, description: "Reason to number of things left out"}
  definition: {type: varchar, description: "What the figure means"}
*/
with own as (
    select
        s.level, s.key, s.grain, s.period_start, s.period_end, s.partial,
        coalesce(
            f.value, case when getvariable('estimate') in ('frequency', 'count') and s.is_deployed then 0 end
        ) as value,
        coalesce(f.n, 0) as n, f.low, f.high, f.excluded
    from core.subject_period as s
    left join figure as f using (level, key, grain, period_start)
),

-- Above a service: the median over services with equal weight, since a pooled figure is the busiest service's.
above as (
    select
        r.level, r.key, o.grain, o.period_start, any_value(o.period_end) as period_end, bool_or(o.partial) as partial,
        list(o.value order by o.value) filter (o.value is not null) as figures,
        list(o.excluded) filter (o.excluded is not null) as excluded,
        count(*) filter (o.value is null) as without_figure
    from own as o
    inner join core.roll_up as r on o.level = 'service' and r.service = o.key
    group by all
),

-- A sum is over repositories, since one of two services would count twice.
pooled as (
    select r.level, r.key, o.grain, o.period_start, sum(o.value) as value, sum(o.n) as n
    from own as o
    inner join core.roll_up_repository as r on o.level = 'repository' and r.repository = o.key
    where getvariable('estimate') = 'count'
    group by all
),

above_excluded as (
    select level, key, grain, period_start, map_from_entries(list((reason, things) order by reason)) as excluded
    from (
        select level, key, grain, period_start, entry.key as reason, sum(entry.value)::bigint as things
        from (
            select level, key, grain, period_start, unnest(flatten(list_transform(excluded, lambda e: map_entries(e)))) as entry
            from above
        )
        group by all
        union all
        select level, key, grain, period_start, 'services_without_figure', without_figure
        from above
        where without_figure > 0
    )
    group by all
),

combined as (
    select level, key, grain, period_start, period_end, partial, value, n, low, high, excluded from own
    union all
    select
        a.level, a.key, a.grain, a.period_start, a.period_end, a.partial,
        case when getvariable('estimate') <> 'count' then quantile_of_sorted(a.figures, 0.5)
            when len(a.figures) > 0 then coalesce(p.value, 0) end,
        case getvariable('estimate') when 'count' then coalesce(p.n, 0) else coalesce(len(a.figures), 0) end,
        case when getvariable('estimate') <> 'count' then a.figures[median_rank_low(len(a.figures))] end,
        case when getvariable('estimate') <> 'count' then a.figures[median_rank_high(len(a.figures))] end,
        e.excluded
    from above as a
    left join pooled as p using (level, key, grain, period_start)
    left join above_excluded as e using (level, key, grain, period_start)
)

select
    getvariable('metric')::varchar as metric,
    level, key, grain, period_start, period_end,
    value::double as value,
    getvariable('unit')::varchar as unit,
    n::bigint as n,
    low::double as low,
    high::double as high,
    case
        when value is null then 'no_data'
        when n < 5 and (
            getvariable('estimate') in ('median', 'rate')
            or (getvariable('estimate') = 'frequency' and level in ('organisation', 'team'))
        ) then 'too_few'
        else 'ok'
    end as status,
    partial,
    coalesce(excluded::json, '{}'::json) as excluded,
    getvariable('definition')::varchar as definition
from combined
order by level, key, grain, period_start
