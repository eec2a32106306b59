/*
description: What each metric means.
grain: one row per metric
key: [metric]
columns:
  metric: {type: varchar, description: "Name of the metric and of its table"}
  title: {type: varchar, description: "What a person calls it"}
  unit: {type: varchar, description: "Unit of its values"}
  definition: {type: varchar, description: "What the figure means"}
  better: {type: varchar, description: "Direction that is better; null where neither is", nullable: true, accepted: [higher, lower]}
  estimate: {type: varchar, description: "Kind of figure"}
  area: {type: varchar, description: "What it is about", accepted: [delivery, adoption]}
*/
select metric, title, unit, definition, better, estimate, area
from config.metric
order by metric
