/*
description: >-
  Released results of surveys: one figure of one group. Groups are withheld where they, or what could be
  concluded from the others, would tell of fewer people than promised; all withheld look alike.
grain: one row per wave, item, statistic, table and group
key: [wave, item_id, statistic, table_name, group_name]
columns:
  wave: {type: varchar, description: "Name of the wave"}
  item_id: {type: varchar, description: "Question; of some statistics a construct, a theme, or `response`"}
  construct: {type: varchar, description: "Id of what it is a measure of", nullable: true}
  statistic: {type: varchar, description: "What the value is", accepted: [top2, mean, nps, umux_lite, response, theme]}
  table_name: {type: varchar, description: "What the people are grouped by", accepted: [team, tier, role]}
  group_name: {type: varchar, description: "Name of the group; empty for the whole organisation, in the table of teams"}
  parent: {type: varchar, description: "Group that it is part of; empty for the organisation, null for that itself", nullable: true}
  depth: {type: bigint, description: "0 for the organisation, 1 for what is directly below, and so on"}
  status: {type: varchar, description: "Whether there is a value", accepted: [ok, suppressed, no_data, too_few]}
  value: {type: double, description: "top2, response and theme a ratio 0-1; mean and umux_lite 0-100; nps -100 to 100", nullable: true}
  n: {type: bigint, description: "Answers it rests on", nullable: true}
  low: {type: double, description: "Lower end of the 90 % interval", nullable: true}
  high: {type: double, description: "Upper end of the 90 % interval", nullable: true}
  dont_know: {type: bigint, description: "Answers that say the question does not apply, which are not in n", nullable: true}
  counts: {type: 'map(varchar, bigint)', description: "Answers by category, as published; null where there are none", nullable: true}
  rolls_up_to: {type: varchar, description: "Of a withheld group: the nearest above it that is shown", nullable: true}
  earlier_wave: {type: varchar, description: "Wave it is compared with", nullable: true}
  change: {type: double, description: "Difference to it, in the value's unit", nullable: true}
  change_low: {type: double, description: "Lower end of the difference's 90 % interval", nullable: true}
  change_high: {type: double, description: "Upper end of the difference's 90 % interval", nullable: true}
  p_holm: {type: double, description: "p of the difference, adjusted by Holm over the group's questions", nullable: true}
  is_change: {type: boolean, description: "Whether a difference can be told from chance", nullable: true}
  detectable: {type: double, description: "Difference that would be detected with 80 % power", nullable: true}
  change_says: {type: varchar, description: "The comparison in words", nullable: true}
*/
from survey.cell
order by wave, item_id, statistic, table_name, depth, group_name
