/*
description: >-
  What teams of all industries answered in DORA's Quick Check: means of self-reports, to stand beside a figure as context. Six answers
  to each question on lead time, frequency and recovery are mapped to a score from 0 to 10, where 10 is fastest; a score is no duration.
grain: one row per metric and year
key: [metric, year]
columns:
  metric: {type: varchar, description: "Metric that the question is about"}
  year: {type: integer, description: "Year of the answers"}
  mean: {type: double, description: "Mean of the answers in `unit`"}
  standard_deviation: {type: double, description: "Their standard deviation in `unit`"}
  unit: {type: varchar, description: "A score of answers from 0 to 10, or a ratio", accepted: [score, ratio]}
  source: {type: varchar, description: "Where the figures were published"}
  licence: {type: varchar, description: "Licence they were published under"}
*/
select
    metric,
    year,
    mean::double as mean,
    standard_deviation::double as standard_deviation,
    unit,
    'DORA Quick Check, all industries' as source,
    'CC BY 4.0' as licence
from (
    values
    ('change_lead_time', 2025, 5.5, 2.4, 'score'),
    ('deployment_frequency', 2025, 4.8, 2.8, 'score'),
    ('failed_deployment_recovery_time', 2025, 7.4, 2.1, 'score'),
    ('change_fail_rate', 2025, 0.19, 0.21, 'ratio'),
    ('rework_rate', 2025, 0.22, 0.22, 'ratio'),
    ('change_lead_time', 2024, 5.1, 2.6, 'score'),
    ('deployment_frequency', 2024, 5.3, 2.9, 'score'),
    ('failed_deployment_recovery_time', 2024, 7.5, 2.3, 'score'),
    ('change_fail_rate', 2024, 0.17, 0.20, 'ratio')
) as published(metric, year, mean, standard_deviation, unit)
order by metric, year
