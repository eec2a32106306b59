/*
description: >-
  What figures are about below a team: repositories, services, and the tenures of services that were not in a
  team all the time; and the chains of deployments behind each. A tenure's figures are of what happened in it.
grain: one row per level, key, chain and time
key: [level, key, chain_id, valid_from]
columns:
  subject_id: {type: integer, description: "The level and key as a number"}
  shared_id: {type: integer, description: "Another number, the same for all subjects of the same chains and times"}
  level: {type: varchar, description: "Level of the figures", accepted: [repository, service, tenure]}
  key: {type: varchar, description: "Name of the repository or service; of a tenure `SERVICE in TEAM`"}
  service: {type: varchar, description: "Service; null for a repository", nullable: true}
  chain_id: {type: varchar, description: "Chain"}
  valid_from: {type: timestamp with time zone, description: "What happened before does not count (UTC)"}
  valid_until: {type: timestamp with time zone, description: "What happened then or later does not count (UTC)"}
*/
with service_chain as (
    select m.service, coalesce(o.chain_id, w.chain_id) as chain_id
    from core.service_repository as m
    inner join core.chain as w on w.source = m.source and w.repository_id = m.repository_id and w.service is null
    left join core.chain as o
        on o.source = m.source and o.repository_id = m.repository_id and o.service = m.service
),

subject as (
    select
        'repository' as level, r.repository as key, null as service, c.chain_id,
        '-infinity'::timestamptz as valid_from, 'infinity'::timestamptz as valid_until
    from core.repository as r
    inner join core.chain as c using (source, repository_id)
    where c.service is null
    union all
    select 'service', service, service, chain_id, '-infinity'::timestamptz, 'infinity'::timestamptz
    from service_chain
    union all
    select 'tenure', t.service || ' in ' || t.team, t.service, c.chain_id, t.valid_from, t.valid_until
    from core.tenure as t
    inner join service_chain as c using (service)
    where not t.is_whole
),

numbered as (
    select dense_rank() over (order by level, key)::integer as subject_id, * from subject
),

alike as (
    select subject_id, -min(subject_id) over (partition by parts) as shared_id
    from (
        select subject_id, list((chain_id, valid_from, valid_until) order by chain_id, valid_from) as parts
        from numbered
        group by subject_id
    )
)

select n.subject_id, a.shared_id, n.* exclude (subject_id)
from numbered as n
inner join alike as a using (subject_id)
