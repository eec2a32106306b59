/*
description: What was seen of capabilities in a repository or a service, but is of no service that is known, or of one of several.
grain: one row per thing seen, or event
key: [observation_id]
columns:
  observation_id: {type: varchar, description: "Source and what it saw"}
  source: {type: varchar, description: "Configured name of the source"}
  subject_kind: {type: varchar, description: "What it was seen in", accepted: [service, repository]}
  subject: {type: varchar, description: "Id within the source"}
  repository: {type: varchar, description: "Name of the repository", nullable: true}
*/
select
    o.observation_id, any_value(o.source) as source, any_value(o.subject_kind) as subject_kind,
    any_value(o.subject) as subject, any_value(e.repository) as repository
from core.capability_observation as o
inner join core.capability_evidence as e
    on e.evidence_id = o.observation_id || '|' || o.rule_id
where e.service is null and o.subject_kind in ('service', 'repository')
group by o.observation_id
