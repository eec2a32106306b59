/*
description: Which figures the failures of a unit count in, and the chain of the deployments they are of.
grain: one row per unit, subject, chain and time
key: [unit, subject_id, chain_id, valid_from]
columns:
  unit: {type: varchar, description: "What failed"}
  subject_id: {type: integer, description: "Subject"}
  level: {type: varchar, description: "Level of the figures", accepted: [repository, service, tenure]}
  chain_id: {type: varchar, description: "Chain"}
  valid_from: {type: timestamp with time zone, description: "What happened before does not count (UTC)"}
  valid_until: {type: timestamp with time zone, description: "What happened then or later does not count (UTC)"}
*/
select u.unit, s.subject_id, s.level, s.chain_id, s.valid_from, s.valid_until
from core.fault_unit as u
inner join core.subject as s on s.chain_id = u.chain_id and s.service = u.service
union all
select u.unit, s.subject_id, s.level, s.chain_id, s.valid_from, s.valid_until
from core.fault_unit as u
inner join core.chain as c on c.source = u.source and c.repository_id = u.repository_id and c.service is null
inner join core.subject as s on s.level = 'repository' and s.chain_id = c.chain_id
