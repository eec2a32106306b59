/*
description: Incidents with the deployment each is charged to; those that none was found for are listed too.
grain: one row per incident
key: [incident_id]
columns:
  incident_id: {type: varchar, description: "Source and id within it"}
  service: {type: varchar, description: "Service; null where it is not known, or of none", nullable: true}
  subject_key: {type: ubigint, description: "The service as a number, by which the rows are stored: `subject_key('service', service)`", nullable: true}
  repository: {type: varchar, description: "Name of the repository it was reported in", nullable: true}
  team: {type: varchar, description: "Team that owned the service then, of several the first by name", nullable: true}
  severity: {type: varchar, description: "In the tool's own word", nullable: true}
  status: {type: varchar, description: "As the tool has it", accepted: [open, acknowledged, resolved]}
  opened_at: {type: timestamp with time zone, description: "When it was opened (UTC)"}
  opened_on: {type: date, description: "Local day on which it was opened"}
  acknowledged_at: {type: timestamp with time zone, description: "First acknowledgement by a human (UTC)", nullable: true}
  resolved_at: {type: timestamp with time zone, description: "Last resolution (UTC); null while it is open", nullable: true}
  restore_seconds: {type: double, description: "Seconds from opening to last resolution; null while it is open, and where negative", nullable: true}
  is_located: {type: boolean, description: "It is known what it is of"}
  rule: {type: varchar, description: "How its deployment was found; null where it is unattributed", nullable: true, accepted: [named, incident]}
  deployment_id: {type: varchar, description: "Deployment charged with it; null where it is unattributed", nullable: true}
  fault_id: {type: varchar, description: "Fault that it shows; null where it is unattributed", nullable: true}
  url: {type: varchar, description: "Where a person can see it", nullable: true}
*/
with owner as (
    select i.incident_id, o.team
    from core.incident as i
    inner join core.owner as o on o.service = i.service and during(i.opened_at, o.valid_from, o.valid_until)
)

select
    i.incident_id,
    i.service,
    subject_key('service', i.service) as subject_key,
    r.repository,
    o.team,
    i.severity,
    i.status,
    i.opened_at,
    i.opened_on,
    i.acknowledged_at,
    i.resolved_at,
    if(i.resolved_at < i.opened_at, null, epoch(i.resolved_at) - epoch(i.opened_at)) as restore_seconds,
    i.unit is not null as is_located,
    e.rule,
    e.deployment_id,
    e.fault_id,
    i.url
from core.incident as i
left join core.fault_evidence as e on e.kind = 'incident' and e.evidence_id = i.incident_id
left join core.repository as r on r.source = i.at_source and r.repository_id = i.repository_id
left join owner as o using (incident_id)
order by i.opened_at, i.incident_id
