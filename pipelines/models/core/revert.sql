/*
description: Commits whose message says which commit they revert, in full or by its first seven digits or more.
grain: one row per commit and commit that it may mean
key: [commit_key, reverted_key]
by: [commit_key]
touched:
  core.commit: >-
    select commit_key from changed where len(reverts) >= 7
    union all
    select r.commit_key
    from core.commit as r
    inner join changed as c
        on c.source = r.source and c.repository_id = r.repository_id and left(c.sha, 7) = left(r.reverts, 7)
        and starts_with(c.sha, r.reverts)
    where len(r.reverts) >= 7
  raw.pull_request: >-
    select r.commit_key
    from core.commit as r
    inner join (select source, repository, unnest([merge_sha, head_sha]) as sha from changed) as c
        on c.source = r.source and c.repository = r.repository_id and left(c.sha, 7) = left(r.reverts, 7)
        and starts_with(c.sha, r.reverts)
    where len(r.reverts) >= 7
columns:
  commit_key: {type: ubigint, description: "The commit as a number"}
  reverted_key: {type: ubigint, description: "One that it may mean, as a number, be it known or not"}
*/
with reverting as (
    select commit_key, source, repository_id, reverts
    from core.commit
    -- refresh: semi join touched using (commit_key)
    where len(reverts) >= 7
),

-- Heads of pull requests may be on no branch any more.
sha as (
    select source, repository_id, sha from core.commit
    union all
    select source, repository, merge_sha from raw.pull_request
    union all
    select source, repository, head_sha from raw.pull_request
)

-- Nearly all name the commit in full.
select commit_key, commit_key(source, repository_id, reverts) as reverted_key
from reverting
where len(reverts) >= 40
union
select r.commit_key, commit_key(s.source, s.repository_id, s.sha)
from reverting as r
inner join sha as s
    on s.source = r.source and s.repository_id = r.repository_id and left(s.sha, 7) = left(r.reverts, 7)
    and starts_with(s.sha, r.reverts)
where len(r.reverts) < 40
