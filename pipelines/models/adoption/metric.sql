/*
description: Rows of one metric of adoption, at every level and for every period.
grain: one row per capability, level, key, grain and period
key: [capability, level, key, grain, period_start]
needs: config.service_scope
columns:
  metric: {type: varchar, description: "Name of the metric"}
  level: {type: varchar, description: "What the figure is about", accepted: [organisation, team, service, tier, kind]}
  key: {type: varchar, description: "Its name at that level"}
  grain: {type: varchar, description: "Length of the period", accepted: [day, week, month, quarter, year]}
  period_start: {type: date, description: "First local day"}
  period_end: {type: date, description: "First local day after the period"}
  value: {type: double, description: "The figure in `unit`; null without data", nullable: true}
  unit: {type: varchar, description: "Unit of value, low and high"}
  n: {type: bigint, description: "What the value rests on; null where it is withheld", nullable: true}
  low: {type: double, description: "Lower end of the 90 % interval; null where none can be given", nullable: true}
  high: {type: double, description: "Upper end of the 90 % interval; null where none can be given", nullable: true}
  status: {type: varchar, description: "First that holds", accepted: [suppressed, no_data, too_few, ok]}
  partial: {type: boolean, description: "Not everything that feeds the figure was read to the end of the period"}
  excluded: {type: json, description: "Reason to number of things left out"}
  definition: {type: varchar, description: "What the figure means"}
  capability: {type: varchar, description: "Capability, or migration; null for the platform as a whole", nullable: true}
*/
select
    $metric as metric,
    g.level, g.key, p.grain, p.period_start, p.period_end, f.value,
    $unit as unit,
    if(g.is_suppressed, null, coalesce(f.n, 0)) as n,
    f.low, f.high,
    case
        when g.is_suppressed then 'suppressed'
        when f.value is null then 'no_data'
        when f.n < 5 then 'too_few'
        else 'ok'
    end as status,
    p.partial,
    coalesce(f.excluded, '{}'::json) as excluded,
    $definition as definition,
    case when g.offer <> 'platform' then substr(g.offer, instr(g.offer, ':') + 1) end as capability
from (select offer, level from figures.$table where key is null) as k
inner join marts.adoption_group as g using (offer, level)
inner join marts.adoption_period as p on p.as_of >= g.valid_from and p.as_of < g.valid_until
left join figures.$table as f
    on f.offer = g.offer and f.level = g.level and f.key = g.key and $holds
