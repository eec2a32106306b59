/*
description: >-
  In which chains a pull request counts: as the change that it is; else that of its repository, and of
  services that share it those without paths or whose paths its commits touch.
grain: one row per pull request and chain
key: [change_key, chain_id]
by: [change_key]
touched:
  core.pull_request: [change_key]
  core.pull_request_commit: [change_key]
  core.change_chain: [change_key]
  core.commit_chain: select change_key from core.pull_request_commit semi join changed using (commit_key)
columns:
  change_key: {type: ubigint, description: "Pull request, as the number of the change that it is or may become"}
  chain_id: {type: varchar, description: "Chain"}
*/
with pull_request as not materialized (
    select change_key, source, repository_id, is_change
    from core.pull_request
    -- refresh: semi join touched using (change_key)
),

chain as (
    select c.chain_id, c.source, c.repository_id
    from core.chain as c
    left join core.service_repository as m using (service, source, repository_id)
    where coalesce(len(m.paths), 0) = 0
),

listed as (
    select change_key, commit_key
    from core.pull_request_commit
    semi join (select change_key from pull_request where not is_change and is_any(change_key)) using (change_key)
    where role <> 'merge'
)

select change_key, m.chain_id
from pull_request
inner join core.change_chain as m using (change_key)
union all
select p.change_key, c.chain_id
from pull_request as p
inner join chain as c using (source, repository_id)
where not p.is_change
union all
select distinct change_key, m.chain_id
from listed
inner join core.commit_chain as m using (commit_key)
where m.touches
