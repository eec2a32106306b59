/*
description: >-
  In which chains a pull request counts: as the change that it is; else that of its repository, and of
  services that share it those without paths or whose paths its commits touch.
grain: one row per pull request and chain
key: [source, repository_id, number, chain_id]
by: [source, repository_id, number]
touched:
  core.pull_request: [source, repository_id, number]
  core.pull_request_commit: >-
    select p.source, p.repository_id, p.number
    from core.pull_request as p
    semi join changed as c on c.change_key = change_key(p.source, p.repository_id, p.number)
    where p.change_key is null
  core.change_chain: >-
    select p.source, p.repository_id, p.number from core.pull_request as p semi join changed using (change_key)
  core.commit_chain: >-
    select p.source, p.repository_id, p.number
    from core.pull_request as p
    semi join (from core.pull_request_commit semi join changed using (commit_key)) as c
        on c.change_key = change_key(p.source, p.repository_id, p.number)
    where p.change_key is null
columns:
  source: {type: varchar, description: "Configured name of the source"}
  repository_id: {type: varchar, description: "Id within the source"}
  number: {type: bigint, description: "Number within the repository"}
  chain_id: {type: varchar, description: "Chain"}
*/
with chain as (
    select c.chain_id, c.source, c.repository_id
    from core.chain as c
    left join core.service_repository as m using (service, source, repository_id)
    where coalesce(len(m.paths), 0) = 0
),

open as (
    select source, repository_id, number, change_key(source, repository_id, number) as open_key
    from core.pull_request
    -- refresh: semi join touched using (source, repository_id, number)
    where change_key is null
),

listed as (
    select change_key, commit_key
    from core.pull_request_commit
    -- refresh: semi join (select open_key as change_key from open where is_any(open_key)) using (change_key)
    where role <> 'merge'
)

select p.source, p.repository_id, p.number, m.chain_id
from core.pull_request as p
-- refresh: semi join touched using (source, repository_id, number)
inner join core.change_chain as m using (change_key)
union all
select p.source, p.repository_id, p.number, c.chain_id
from core.pull_request as p
-- refresh: semi join touched using (source, repository_id, number)
inner join chain as c using (source, repository_id)
where p.change_key is null
union all
select distinct p.source, p.repository_id, p.number, m.chain_id
from open as p
inner join listed as c on c.change_key = p.open_key
inner join core.commit_chain as m using (commit_key)
where m.touches
