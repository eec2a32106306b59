/*
description: How far each migration is, and when it will be done.
grain: one row per migration
key: [migration]
needs: config.service_scope
columns:
  migration: {type: varchar, description: "Name of the migration"}
  title: {type: varchar, description: "What a person calls it"}
  from_capability: {type: varchar, description: "Capability that is left", nullable: true}
  to_capability: {type: varchar, description: "Capability that is moved to"}
  started_on: {type: date, description: "First local day"}
  position: {type: bigint, description: "Place in the workspace file"}
  as_of: {type: date, description: "Last local day of the last complete week, of which all this is; null before there is one", nullable: true}
  scope: {type: bigint, description: "Active services that have to move, those that have included; null where withheld", nullable: true}
  done: {type: bigint, description: "Those of them that have", nullable: true}
  dormant: {type: bigint, description: "Services in scope without a commit in 90 days", nullable: true}
  finish_50_on: {type: date, description: "Local day by which all are done in half of what is likely; null where that cannot be told", nullable: true}
  finish_85_on: {type: date, description: "Local day by which all are done in 85 % of what is likely", nullable: true}
  method: {type: varchar, description: "What the days rest on: weeks drawn anew, or a logistic curve past its inflection", nullable: true, accepted: [resampled, logistic]}
*/
with latest as (
    select
        d.capability as migration, d.period_end - 1 as as_of, d.n, round(d.value * d.n)::bigint as done,
        coalesce((d.excluded ->> '$.dormant')::bigint, 0) as dormant, f.finish_50_on, f.finish_85_on, f.method
    from marts.migration_done as d
    left join analysis.migration_forecast as f
        on f.offer = 'migration:' || d.capability and f.grain = 'week' and f.period_start = d.period_start
    where d.level = 'organisation' and d.grain = 'week'
        and d.period_end <= (select max(as_of) + 1 from marts.adoption_period)
    qualify row_number() over (partition by d.capability order by d.period_start desc) = 1
)

select
    m.migration, m.title, m.from_capability, m.to_capability, m.started_on, m.position, l.as_of, l.n as scope,
    l.done, l.dormant, l.finish_50_on, l.finish_85_on, l.method
from config.migration as m
left join latest as l using (migration)
order by m.position
