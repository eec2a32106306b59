/*
description: >-
  Commits that brought a merged pull request to its base: those the host lists, the one the merge made,
  those whose subject names it, and those that a rebase wrote anew; and which pull request owns each.
grain: one row per commit and pull request that claims it
key: [commit_key, number]
by: [commit_key]
touched:
  core.commit: [commit_key]
  core.pick: [commit_key]
  core.rebase: [commit_key]
  raw.pull_request: >-
    select commit_key(source, repository, unnest(list_append(commit_shas, merge_sha))) from changed
    union all
    select c.commit_key
    from core.commit as c
    inner join changed as p on p.source = c.source and p.repository = c.repository_id and p.number = c.change_number
    union all
    select c.commit_key
    from core.rebase as c
    inner join changed as p on p.source = c.source and p.repository = c.repository_id and p.number = c.number
    union all
    select c.commit_key
    from core.claim as c
    inner join changed as p on p.source = c.source and p.repository = c.repository_id and p.number = c.number
columns:
  source: {type: varchar, description: "Configured name of the source"}
  repository_id: {type: varchar, description: "Id within the source"}
  sha: {type: varchar, description: "Commit, no merge"}
  commit_key: {type: ubigint, description: "The commit as a number"}
  number: {type: bigint, description: "Pull request"}
  is_owner: {type: boolean, description: "Of those that claim it the one that was merged first"}
  is_pick: {type: boolean, description: "A cherry-pick, so of the change it was picked from"}
*/
with listed as (
    select
        rowid as row_id,
        commit_key(source, repository, unnest(list_append(commit_shas, merge_sha))) as commit_key
    from raw.pull_request
    where merged_at is not null
),

known as materialized (
    select source, repository_id, sha, commit_key, change_number, kind
    from core.commit
    -- refresh: semi join touched using (commit_key)
    where not is_merge
),

named as (
    select row_id, commit_key
    from listed
    -- refresh: semi join (select commit_key from known group by commit_key having count(*) > 0) using (commit_key)
    union all
    select p.rowid, r.commit_key
    from core.rebase as r
    -- refresh: semi join touched using (commit_key)
    inner join raw.pull_request as p
        on p.source = r.source and p.repository = r.repository_id and p.number = r.number
    where r.is_whole and p.merged_at is not null
    union all
    select p.rowid, c.commit_key
    from known as c
    inner join raw.pull_request as p
        on p.source = c.source and p.repository = c.repository_id and p.number = c.change_number
    where c.kind <> 'revert' and p.merged_at is not null
),

claimed as (
    select distinct row_id, commit_key from named
),

merged as (
    select
        rowid as row_id, number, row_number() over (order by merged_at, number, source, repository) as place
    from raw.pull_request as p
    -- refresh: semi join (select row_id from claimed group by row_id having count(*) > 0) as c on c.row_id = p.rowid
    where merged_at is not null
),

placed as (
    select c.commit_key, m.number, m.place
    from claimed as c
    inner join merged as m using (row_id)
),

owner as (
    select commit_key, min(place) as place from placed group by commit_key
)

select
    c.source, c.repository_id, c.sha, commit_key, l.number, o.place = l.place as is_owner,
    p.origin_key is not null as is_pick
from placed as l
inner join owner as o using (commit_key)
inner join known as c using (commit_key)
left join core.pick as p using (commit_key)
