/*
description: >-
  Which services each level above a service spans; a team spans those of the teams that were below it, and of
  one that was not in it all the time only that time, its tenure.
grain: one row per level, key and member
key: [level, key, member_level, member]
columns:
  subject_id: {type: integer, description: "The level and key as a number, beyond those of `core.subject`"}
  level: {type: varchar, description: "Level above a service", accepted: [organisation, team]}
  key: {type: varchar, description: "Name of the organisation or team"}
  member_id: {type: integer, description: "`subject_id` of the member; null where it has no repository", nullable: true}
  member_level: {type: varchar, description: "Level of the member", accepted: [service, tenure]}
  member: {type: varchar, description: "Key of the member at that level"}
*/
with spanned as (
    select 'organisation' as level, w.organisation as key, 'service' as member_level, s.service as member
    from core.service as s
    cross join config.workspace as w
    union all
    select distinct
        'team', team, if(is_whole, 'service', 'tenure'), if(is_whole, service, service || ' in ' || team)
    from core.tenure
)

select
    1000000000 + dense_rank() over (order by p.level, p.key)::integer as subject_id, p.level, p.key,
    s.subject_id as member_id, p.member_level, p.member
from spanned as p
left join (select distinct subject_id, level, key from core.subject) as s
    on s.level = p.member_level and s.key = p.member
