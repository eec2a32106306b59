/*
description: Deployments that failed, by what figures are about.
grain: one row per subject and deployment
key: [subject_id, deployment_id]
day: finished_on
columns:
  subject_id: {type: integer, description: "Subject"}
  deployment_id: {type: varchar, description: "Deployment that failed"}
  finished_on: {type: date, description: "Local day on which it reached production"}
  began_at: {type: timestamp with time zone, description: "When the failure began (UTC)"}
  recovered_at: {type: timestamp with time zone, description: "When it was over (UTC); null while it is open", nullable: true}
  known_until: {type: timestamp with time zone, description: "Until when it is known to have been open, if it is (UTC)", nullable: true}
*/
select
    s.subject_id, f.deployment_id, d.finished_on,
    min(f.began_at) as began_at,
    if(count(*) = count(f.recovered_at), max(f.recovered_at), null) as recovered_at,
    max(f.known_until) as known_until
from core.fault as f
inner join core.fault_subject as s using (unit)
inner join core.chain_deployment as d
    on d.chain_id = s.chain_id and d.deployment_id = f.deployment_id
    and during(d.finished_at, s.valid_from, s.valid_until)
group by all
