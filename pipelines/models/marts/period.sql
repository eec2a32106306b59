/*
description: Periods that figures can be of, at every level; empty ones have no figure of their own.
grain: one row per level, key, grain and period
key: [level, key, grain, period_start]
day: period_start
by: [grain, period_start]
touched:
  core.subject_period: [grain, period_start]
columns:
  level: {type: varchar, description: "What figures are about", accepted: [organisation, team, service, repository]}
  key: {type: varchar, description: "Its name at that level"}
  subject_key: {type: ubigint, description: "Level and key as a number, by which the rows are stored: `subject_key(level, key)`"}
  period_id: {type: integer, description: "Grain and period as a number, by which figures are stored"}
  grain: {type: varchar, description: "Length of the period", accepted: [day, week, month, quarter, year]}
  period_start: {type: date, description: "First local day"}
  period_end: {type: date, description: "First local day after the period"}
  is_deployed: {type: boolean, description: "A service or repository of which at least one deployment is known"}
  services: {type: bigint, description: "Services active in the period; null below a team", nullable: true}
  deployed_services: {type: bigint, description: "Those of them of which at least one deployment is known", nullable: true}
  delivery_partial: {type: boolean, description: "Commits or deployments were not read to its end"}
  failure_partial: {type: boolean, description: "Incidents were not read to its end and the failure window after it"}
  ci_partial: {type: boolean, description: "Runs were not read to its end"}
*/
select
    level, key, subject_key, period_id, grain, period_start, period_end, is_deployed, null::bigint as services,
    null::bigint as deployed_services, delivery_partial, failure_partial, ci_partial
from core.subject_period
-- refresh: semi join touched using (grain, period_start)
where level <> 'tenure'
union all
select
    r.level, r.key, subject_key(r.level, r.key), s.period_id, s.grain, s.period_start, any_value(s.period_end), false,
    count(*), count(*) filter (s.is_deployed), bool_or(s.delivery_partial), bool_or(s.failure_partial),
    bool_or(s.ci_partial)
from core.subject_period as s
-- refresh: semi join touched using (grain, period_start)
inner join core.roll_up as r on r.member_level = s.level and r.member = s.key
group by r.level, r.key, s.period_id, s.grain, s.period_start
order by subject_key, period_id
