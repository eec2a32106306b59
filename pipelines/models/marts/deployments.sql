/*
description: Deployments to production per period.
metric:
  title: Deployments
  unit: count
  definition: >-
    Number of rollouts that finished in production in the period; several environments reached by the same
    version within 24 hours are one. From the tools' own records, else from the jobs that the workspace
    names, else from tags that match `releases`. Above a service, their number, each once.
  estimate: count
*/
select s.subject_id, p.period_id, d.deployment_id as thing
from core.chain_deployment as d
inner join core.chain_subject as s
    on s.chain_id = d.chain_id and during(d.finished_at, s.valid_from, s.valid_until)
inner join core.period as p on p.day = d.finished_on
