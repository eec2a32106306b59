/*
description: >-
  Weeks from which on a metric's figures are at another level. Candidates by PELT (ruptures) on robust standard scores of
  the last two years' complete weeks; kept where a permutation test of the split, corrected by Holm, finds them at 2 %,
  and where a straight line does not explain the series as well.
grain: one row per metric, level, key and change
key: [metric, level, key, period_start]
columns:
  metric: {type: varchar, description: "Name of the metric"}
  level: {type: varchar, description: "What the figure is about", accepted: [organisation, team, service]}
  key: {type: varchar, description: "Its name at that level"}
  grain: {type: varchar, description: "Length of the periods looked at", accepted: [week]}
  period_start: {type: date, description: "First local day of the first period at the new level"}
  before: {type: double, description: "Median of the level that ended, in the metric's unit"}
  after: {type: double, description: "Median of the level that began, in the metric's unit"}
  p_value: {type: double, description: "Chance of so strong a split without a change, corrected by Holm"}
  method: {type: varchar, description: "How it was found"}
*/
from analysis.change_point
order by metric, level, key, period_start
