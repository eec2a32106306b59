/*
description: >-
  In which chains a pull request counts: as the change that it is; else that of its repository, and of
  services that share it those without paths or whose paths its commits touch.
grain: one row per pull request and chain
key: [source, repository_id, number, chain_id]
by: [source, repository_id, number]
touched:
  core.pull_request: [source, repository_id, number]
  raw.pull_request: [source, repository, number]
  core.change_chain: >-
    select p.source, p.repository_id, p.number from core.pull_request as p semi join changed using (change_key)
  core.commit_chain: >-
    select source, repository_id, number
    from (
        select p.source, p.repository_id, p.number, unnest(list_append(r.commit_shas, r.head_sha)) as sha
        from core.pull_request as p
        inner join raw.pull_request as r
            on r.source = p.source and r.repository = p.repository_id and r.number = p.number
        where p.change_key is null
    )
    semi join changed using (source, repository_id, sha)
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

sha as (
    select p.source, p.repository_id, p.number, unnest(list_append(r.commit_shas, r.head_sha)) as sha
    from core.pull_request as p
    -- refresh: semi join touched using (source, repository_id, number)
    inner join raw.pull_request as r
        on r.source = p.source and r.repository = p.repository_id and r.number = p.number
    semi join core.commit_chain as c on c.source = p.source and c.repository_id = p.repository_id
    where p.change_key is null
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
select distinct s.source, s.repository_id, s.number, c.chain_id
from sha as s
inner join core.commit_chain as c using (source, repository_id, sha)
where c.touches
