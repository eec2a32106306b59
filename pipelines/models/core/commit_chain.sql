/*
description: >-
  Services' own chains that a commit concerns: its folders touch their paths, or the change it belongs to
  counts in them.
grain: one row per commit and chain of a service with paths
key: [commit_key, chain_id]
by: [commit_key]
touched:
  core.commit: >-
    select commit_key
    from changed
    semi join (from core.service_repository where len(paths) > 0) using (source, repository_id)
  core.change_commit: &of_changes >-
    select commit_key from changed semi join core.commit_chain using (commit_key)
    union all
    select commit_key
    from changed
    semi join (
        from core.change_chain
        semi join (
            from core.chain
            inner join core.service_repository as m using (service, source, repository_id)
            where len(m.paths) > 0
        ) using (chain_id)
    ) using (change_key)
  core.pull_request_commit: *of_changes
  core.change_chain: >-
    with counted as materialized (
        select change_key
        from changed
        semi join (
            from core.chain
            inner join core.service_repository as m using (service, source, repository_id)
            where len(m.paths) > 0
        ) using (chain_id)
    )
    select commit_key from core.change_commit semi join counted using (change_key)
    union all
    select commit_key from core.pull_request_commit semi join counted using (change_key)
columns:
  commit_key: {type: ubigint, description: "Commit, as a number; of a pull request also those that no branch has any more"}
  chain_id: {type: varchar, description: "Chain"}
  touches: {type: boolean, description: "Its own folders say so"}
*/
with path as (
    select c.chain_id, c.source, c.repository_id, unnest(m.paths) as path
    from core.chain as c
    inner join core.service_repository as m using (service, source, repository_id)
),

folder as (
    select commit_key, source, repository_id, unnest(folders) as folder
    from core.commit
    -- refresh: semi join touched using (commit_key)
    semi join path using (source, repository_id)
),

owned as (
    select change_key, commit_key
    from core.pull_request_commit
    -- refresh: semi join touched using (commit_key)
    where role = 'listed'
    union all
    select change_key, commit_key
    from core.change_commit
    -- refresh: semi join touched using (commit_key)
),

concerned as (
    select f.commit_key, p.chain_id, true as touches
    from folder as f
    inner join path as p using (source, repository_id)
    where f.folder = p.path or starts_with(f.folder, p.path || '/')
    union all
    select o.commit_key, m.chain_id, false
    from owned as o
    inner join (from core.change_chain semi join path using (chain_id)) as m using (change_key)
)

select commit_key, chain_id, bool_or(touches) as touches
from concerned
group by all
