/*
description: Which figures the failures of a unit count in, and the chain of the deployments they are of.
grain: one row per unit, level, key, chain and time
key: [unit, level, key, chain_id, valid_from]
columns:
  unit: {type: varchar, description: "What failed"}
  level: {type: varchar, description: "Level of the figures", accepted: [repository, service, tenure]}
  key: {type: varchar, description: "Name of the repository or service, or of a service in a team"}
  chain_id: {type: varchar, description: "Chain"}
  valid_from: {type: timestamp with time zone, description: "What happened before does not count (UTC)"}
  valid_until: {type: timestamp with time zone, description: "What happened then or later does not count (UTC)"}
*/
select u.unit, s.level, s.key, s.chain_id, s.valid_from, s.valid_until
from core.fault_unit as u
inner join core.subject as s on s.chain_id = u.chain_id and s.service = u.service
union all
select u.unit, s.level, s.key, s.chain_id, s.valid_from, s.valid_until
from core.fault_unit as u
inner join core.chain as c on c.source = u.source and c.repository_id = u.repository_id and c.service is null
inner join core.subject as s on s.level = 'repository' and s.chain_id = c.chain_id
