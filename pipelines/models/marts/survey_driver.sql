/*
description: >-
  What goes with an outcome among all respondents of a wave: shares of explained variance, by Shapley values.
  An association, not a cause.
grain: one row per wave and construct; one with a null construct where there is nothing to show
key: [wave, construct]
columns:
  wave: {type: varchar, description: "Name of the wave"}
  outcome: {type: varchar, description: "Construct that is explained"}
  construct: {type: varchar, description: "Construct that goes with it", nullable: true}
  share: {type: double, description: "Its share of the explained variance, 0-1", nullable: true}
  direction: {type: varchar, description: "Whether the outcome rises or falls with it", nullable: true, accepted: [rises, falls]}
  status: {type: varchar, description: "Whether there is anything to show", accepted: [ok, too_few, not_above_chance]}
  n: {type: bigint, description: "Respondents it rests on, at least: in tens; null where nothing is shown", nullable: true}
  r_squared: {type: double, description: "Share of the outcome's variance that is explained, 0-1", nullable: true}
  threshold: {type: double, description: "Share that the largest of them exceeds by chance in 5 of 100 cases, 0-1", nullable: true}
  caption: {type: varchar, description: "What may be concluded from it"}
*/
from survey.driver
order by wave, share desc nulls last
