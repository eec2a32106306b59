/*
description: Whose a figure is; one may be that of several, and a subject has figures of its own and shared ones.
grain: one row per number, level and key
key: [subject_id, level, key]
columns:
  subject_id: {type: integer, description: "`subject_id` or `shared_id` of a subject; those of `core.roll_up` above"}
  level: {type: varchar, description: "Level of the figure", accepted: [organisation, team, service, repository, tenure]}
  key: {type: varchar, description: "Its name at that level"}
  subject_key: {type: ubigint, description: "Level and key as a number, by which figures are stored: `subject_key(level, key)`"}
  own_id: {type: integer, description: "`subject_id` of that level and key; null above a service", nullable: true}
*/
select distinct unnest([subject_id, shared_id]) as subject_id, level, key, subject_key(level, key) as subject_key,
    subject_id as own_id
from core.subject
union all
select distinct subject_id, level, key, subject_key(level, key), null
from core.roll_up
