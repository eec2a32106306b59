/*
description: >-
  Services' own chains that a commit concerns: its folders touch their paths, or the change it belongs to
  counts in them.
grain: one row per commit and chain of a service with paths
key: [source, repository_id, sha, chain_id]
by: [sha, source, repository_id]
only: (source, repository_id) in (select (source, repository_id) from core.service_repository where len(paths) > 0)
touched:
  core.commit: [sha, source, repository_id]
  core.change_commit: [sha, source, repository_id]
  raw.pull_request: select unnest(commit_shas), source, repository from changed
  core.change: >-
    select unnest(commit_shas), source, repository
    from raw.pull_request as r
    semi join (
        select p.rowid as place
        from changed as h
        inner join raw.pull_request as p
            on p.source = h.source and p.repository = h.repository_id and p.number = h.number
        group by p.rowid
        having count(*) > 0
    ) as p on p.place = r.rowid
  core.change_chain: >-
    select sha, source, repository_id from core.change_commit semi join changed using (change_key)
    union all
    select unnest(commit_shas), source, repository
    from raw.pull_request as r
    semi join (
        select p.rowid as place
        from core.change as h
        semi join changed using (change_key)
        inner join raw.pull_request as p
            on p.source = h.source and p.repository = h.repository_id and p.number = h.number
        group by p.rowid
        having count(*) > 0
    ) as p on p.place = r.rowid
columns:
  source: {type: varchar, description: "Configured name of the repository's source"}
  repository_id: {type: varchar, description: "Id within the source"}
  sha: {type: varchar, description: "Commit id; of a pull request also of commits that no branch has any more"}
  chain_id: {type: varchar, description: "Chain"}
  touches: {type: boolean, description: "Its own folders say so"}
*/
with path as (
    select c.chain_id, c.source, c.repository_id, unnest(m.paths) as path
    from core.chain as c
    inner join core.service_repository as m using (service, source, repository_id)
),

shared as (
    select distinct source, repository_id from path
),

folder as (
    select source, repository_id, sha, unnest(folders) as folder
    from core.commit
    -- refresh: semi join (
    -- refresh:     select commit_key(source, repository_id, sha) as commit_key from touched where is_any(sha)
    -- refresh: ) using (commit_key)
    inner join shared using (source, repository_id)
),

listed as (
    select h.change_key, h.source, h.repository_id, unnest(p.commit_shas) as sha
    from core.change as h
    inner join shared using (source, repository_id)
    inner join raw.pull_request as p
        on p.source = h.source and p.repository = h.repository_id and p.number = h.number
    where h.is_pull_request
    union all
    select change_key, source, repository_id, sha
    from core.change_commit
    -- refresh: semi join (
    -- refresh:     select commit_key(source, repository_id, sha) as commit_key from touched group by 1 having count(*) > 0
    -- refresh: ) using (commit_key)
    inner join shared using (source, repository_id)
),

concerned as (
    select f.source, f.repository_id, f.sha, p.chain_id, true as touches
    from folder as f
    inner join path as p using (source, repository_id)
    where f.folder = p.path or starts_with(f.folder, p.path || '/')
    union all
    select l.source, l.repository_id, l.sha, p.chain_id, false
    from listed as l
    -- refresh: semi join touched using (source, repository_id, sha)
    inner join core.change_chain as m using (change_key)
    inner join (select distinct chain_id from path) as p using (chain_id)
)

select source, repository_id, sha, chain_id, bool_or(touches) as touches
from concerned
group by all
