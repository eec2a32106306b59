/*
description: Deployments to production per week.
metric:
  title: Deployment frequency
  unit: per_week
  definition: >-
    7 × deployments to production that finished in the period / local days of the period; 0 in a period
    without one between first and last activity. A census, so it has no interval. Above a service, the
    median over services.
  better: higher
  estimate: frequency
*/
select s.subject_id, p.period_id, d.deployment_id as thing
from core.chain_deployment as d
inner join core.chain_subject as s
    on s.chain_id = d.chain_id and during(d.finished_at, s.valid_from, s.valid_until)
inner join core.period as p on p.day = d.finished_on
