/*
description: >-
  Commits that brought a merged pull request to its base: those the host lists, the one the merge made,
  those whose subject names it, and those that a rebase wrote anew; and which pull request owns each.
grain: one row per commit and pull request that claims it
key: [source, repository_id, sha, number]
columns:
  source: {type: varchar, description: "Configured name of the source"}
  repository_id: {type: varchar, description: "Id within the source"}
  sha: {type: varchar, description: "Commit, no merge"}
  number: {type: bigint, description: "Pull request"}
  is_owner: {type: boolean, description: "Of those that claim it the one that was merged first"}
  is_pick: {type: boolean, description: "A cherry-pick, so of the change it was picked from"}
*/
with recursive merged as materialized (
    select
        source, repository as repository_id, number, merge_sha, commits, commit_shas, first_commit_at,
        row_number() over (order by merged_at, number, source, repository) as place
    from raw.pull_request
    where merged_at is not null
),

listed as (
    select place, hash(source, repository_id, unnest(list_append(commit_shas, merge_sha))) as commit_key from merged
),

known as materialized (
    select
        source, repository_id, sha, hash(source, repository_id, sha) as commit_key,
        hash(source, repository_id, parents[1]) as parent_key, authored_at, change_number, kind
    from core.commit
    where not is_merge
),

-- A rebase writes as many commits anew, and the first keeps its author's date; a squash has one.
rebase as (
    select m.place, m.commits, m.first_commit_at, c.commit_key, c.parent_key, c.authored_at as first_authored_at, 1 as n
    from merged as m
    inner join known as c on c.commit_key = hash(m.source, m.repository_id, m.merge_sha)
    where m.commits between 2 and 250
    union all
    select r.place, r.commits, r.first_commit_at, c.commit_key, c.parent_key, least(r.first_authored_at, c.authored_at), r.n + 1
    from rebase as r
    inner join known as c on c.commit_key = r.parent_key
    where r.n < r.commits and not exists (
        select 1 from merged as o where hash(o.source, o.repository_id, o.merge_sha) = r.parent_key
    )
),

rebased as (
    select place
    from rebase
    group by place
    having max(n) = any_value(commits) and arg_max(first_authored_at, n) = any_value(first_commit_at)
),

claimed as (
    select place, commit_key from listed
    union
    select place, commit_key from rebase semi join rebased using (place)
    union
    select m.place, c.commit_key
    from known as c
    inner join merged as m
        on m.source = c.source and m.repository_id = c.repository_id and m.number = c.change_number
    where c.kind <> 'revert'
),

owner as (
    select commit_key, min(place) as place from claimed group by commit_key
)

select
    c.source, c.repository_id, c.sha, m.number, o.place = l.place as is_owner, p.origin_sha is not null as is_pick
from claimed as l
inner join owner as o using (commit_key)
inner join known as c using (commit_key)
inner join merged as m on m.place = l.place
left join core.pick as p on p.source = c.source and p.repository_id = c.repository_id and p.sha = c.sha
