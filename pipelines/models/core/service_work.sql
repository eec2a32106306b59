/*
description: >-
  Days on which somebody worked on each service: commits, by people and by bots, and people's merged changes.
grain: one row per service, day, author and sort of work
key: [service, day, author, work]
needs: config.service_scope
columns:
  service: {type: varchar, description: "Name of the service"}
  day: {type: date, description: "Local day"}
  author: {type: varchar, description: "Keyed hash, one for all that is known of a person; null for bots", nullable: true}
  work: {type: varchar, description: "What was done", accepted: [commit, merged_change]}
*/
with person as (
    select alias, min(person) as person from raw.identity group by alias
),

committed as (
    select h.chain_id, local_date(c.committed_at) as day, if(c.is_bot, null, c.author) as author
    from core.commit as c
    inner join core.chain as h on h.source = c.source and h.repository_id = c.repository_id and h.service is null
    where c.committed_at is not null
    union
    select k.chain_id, local_date(c.committed_at), if(c.is_bot, null, c.author)
    from core.commit_chain as k
    inner join core.commit as c using (commit_key)
    where c.committed_at is not null
),

merged as (
    select m.chain_id, local_date(coalesce(h.merged_at, c.committed_at)) as day, a.author
    from core.author as a
    inner join core.change as h using (change_key)
    inner join core.change_chain as m using (change_key)
    left join core.commit as c on c.commit_key = commit_key(h.source, h.repository_id, h.sha)
    where coalesce(h.merged_at, c.committed_at) is not null
)

select distinct s.service, w.day, coalesce(p.person, w.author) as author, w.work
from (
    select *, 'commit' as work from committed
    union all
    select *, 'merged_change' from merged
) as w
inner join core.subject as s on s.level = 'service' and s.chain_id = w.chain_id
left join person as p on p.alias = w.author
