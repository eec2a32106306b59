/*
description: Rows of one metric, at every level and for every period.
grain: one row per level, key, grain and period
key: [level, key, grain, period_start]
columns:
  metric: {type: varchar, description: "Name of the metric"}
  level: {type: varchar, description: "What the figure is about", accepted: [organisation, team, service, repository]}
  key: {type: varchar, description: "Its name at that level"}
  subject_key: {type: ubigint, description: "Level and key as a number, by which the rows are stored: `subject_key(level, key)`"}
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
select
    $metric as metric,
    p.level, p.key, p.subject_key, p.grain, p.period_start, p.period_end,
    if($is_census and p.is_deployed, coalesce(f.value, 0), f.value) as value,
    $unit as unit,
    coalesce(f.n, 0) as n,
    f.low, f.high,
    case
        when f.value is null and not ($is_census and p.is_deployed) then 'no_data'
        when f.n < 5 and ($has_interval or (not $is_sum and p.level in ('organisation', 'team'))) then 'too_few'
        else 'ok'
    end as status,
    p.${coverage}_partial as partial,
    coalesce(f.excluded, '{}'::json) as excluded,
    $definition as definition
from marts.period as p
left join figures.$table as f using (subject_key, period_id)
