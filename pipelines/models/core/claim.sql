/*
description: >-
  Commits that brought a merged pull request to its base: those the host lists, the one the merge made,
  those whose subject names it, and those that a rebase wrote anew; and which pull request owns each.
grain: one row per commit and pull request that claims it
key: [commit_key, change_key]
by: [commit_key]
touched:
  core.commit: [commit_key]
  core.pick: [commit_key]
  core.rebase: [commit_key]
  core.pull_request_commit: [commit_key]
  raw.pull_request: >-
    select commit_key
    from core.pull_request_commit
    semi join (select change_key(source, repository, number) as change_key from changed) using (change_key)
    union all
    select commit_key
    from core.rebase
    semi join (select change_key(source, repository, number) as change_key from changed) using (change_key)
    union all
    select commit_key
    from core.claim
    semi join (select change_key(source, repository, number) as change_key from changed) using (change_key)
    union all
    select c.commit_key
    from core.commit as c
    inner join changed as p on p.source = c.source and p.repository = c.repository_id and p.number = c.change_number
columns:
  commit_key: {type: ubigint, description: "Commit, no merge, as a number"}
  change_key: {type: ubigint, description: "Pull request, as the number of the change that it is or would be"}
  is_owner: {type: boolean, description: "Of those that claim it the one that was merged first"}
  is_pick: {type: boolean, description: "A cherry-pick, so of the change it was picked from"}
*/
with known as materialized (
    select source, repository_id, commit_key, change_number, kind
    from core.commit
    -- refresh: semi join touched using (commit_key)
    where not is_merge
),

named as (
    select change_key, commit_key
    from core.pull_request_commit
    -- refresh: semi join (select commit_key from known where is_any(commit_key)) using (commit_key)
    where role <> 'head'
    union all
    select change_key, commit_key
    from core.rebase
    -- refresh: semi join touched using (commit_key)
    where is_whole
    union all
    select change_key(source, repository_id, change_number), commit_key
    from known
    where change_number is not null and kind <> 'revert'
),

claimed as (
    select distinct change_key, commit_key from named
),

merged as (
    select
        change_key(source, repository, number) as change_key,
        row_number() over (order by merged_at, number, source, repository) as place
    from raw.pull_request
    -- refresh: semi join (select change_key as claimed_key from claimed group by 1 having count(*) > 0) as c
    -- refresh:     on c.claimed_key = change_key(source, repository, number)
    where merged_at is not null
),

placed as (
    select commit_key, change_key, place
    from claimed
    semi join known using (commit_key)
    inner join merged using (change_key)
),

owner as (
    select commit_key, min(place) as place from placed group by commit_key
)

select commit_key, l.change_key, o.place = l.place as is_owner, p.origin_key is not null as is_pick
from placed as l
inner join owner as o using (commit_key)
left join core.pick as p using (commit_key)
