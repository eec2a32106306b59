/*
description: >-
  Incidents and what they are of: the service that the tool names by its name, its id in a catalogue or an
  alias; else the repository they were reported in, and its service where it has only one.
grain: one row per incident
key: [incident_id]
day: opened_on
columns:
  incident_id: {type: varchar, description: "Source and id within it"}
  source: {type: varchar, description: "Configured name of the source that recorded it"}
  unit: {type: varchar, description: "What faults are found for; null where it is not known what the incident is of", nullable: true}
  service: {type: varchar, description: "Service", nullable: true}
  at_source: {type: varchar, description: "Source of the repository it was reported in", nullable: true}
  repository_id: {type: varchar, description: "Id within that source", nullable: true}
  severity: {type: varchar, description: "In the tool's own word", nullable: true}
  status: {type: varchar, description: "As the tool has it", accepted: [open, acknowledged, resolved]}
  opened_at: {type: timestamp with time zone, description: "When it was opened (UTC)"}
  opened_on: {type: date, description: "Local day on which it was opened"}
  acknowledged_at: {type: timestamp with time zone, description: "First acknowledgement by a human (UTC)", nullable: true}
  resolved_at: {type: timestamp with time zone, description: "Last resolution (UTC); null while it is open", nullable: true}
  known_until: {type: timestamp with time zone, description: "Until when its source was read, so that it was open that long at least (UTC); null where it is resolved", nullable: true}
  named_deployment: {type: varchar, description: "Deployment that the tool names, by its id there", nullable: true}
  named_sha: {type: varchar, description: "Commit that the tool names, at least 7 digits of it", nullable: true}
  named_number: {type: bigint, description: "Pull request that the tool names", nullable: true}
  url: {type: varchar, description: "Where a person can see it", nullable: true}
*/
with named as (
    select i.source, i.id, a.service
    from raw.incident as i
    inner join config.source as s on s.source = i.source
    inner join core.service_alias as a on a.alias = i.service and (a.kind is null or a.kind in (s.kind, s.source))
    qualify row_number() over (partition by i.source, i.id order by a.kind nulls last, a.service) = 1
)

select
    i.source || ':' || i.id as incident_id,
    i.source,
    coalesce('service:' || n.service, h.unit) as unit,
    coalesce(n.service, h.service) as service,
    h.source as at_source,
    h.repository_id,
    i.severity,
    i.status,
    i.opened_at,
    local_date(i.opened_at) as opened_on,
    i.acknowledged_at,
    i.resolved_at,
    if(i.resolved_at is null, coalesce(c.covered_until, i.opened_at), null) as known_until,
    i.deployment as named_deployment,
    case when len(i.sha) >= 7 then lower(i.sha) end as named_sha,
    i.change_number as named_number,
    i.url
from raw.incident as i
inner join config.source as s on s.source = i.source
left join raw.coverage as c on c.source = i.source and c.scope = i.scope
left join named as n on n.source = i.source and n.id = i.id
left join core.fault_unit as h on h.is_home and h.source = i.source and h.repository_id = i.repository
