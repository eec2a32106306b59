/*
description: >-
  In whose figures what happens in a chain counts. Of subjects with the same chains, as a repository that is all of a
  service, figures are made once.
grain: one row per subject, chain and time
key: [subject_id, chain_id, valid_from]
columns:
  subject_id: {type: integer, description: "`shared_id` of the subjects"}
  chain_id: {type: varchar, description: "Chain"}
  valid_from: {type: timestamp with time zone, description: "What happened before does not count (UTC)"}
  valid_until: {type: timestamp with time zone, description: "What happened then or later does not count (UTC)"}
*/
select distinct shared_id as subject_id, chain_id, valid_from, valid_until
from core.subject
