/*
description: >-
  Where a rebase may have put a pull request: from the commit that merged it as many commits back as it had,
  or fewer where one is unknown, was written before its first, or where another pull request was merged.
grain: one row per pull request and commit
key: [change_key, position]
by: [change_key]
touched:
  raw.pull_request: >-
    select change_key(source, repository, number) from changed
    union all
    select w.change_key
    from (select *, unnest([commit_key, parent_key]) as either from core.rebase) as w
    inner join changed as p on commit_key(p.source, p.repository, p.merge_sha) = w.either
  core.commit: >-
    select change_key(p.source, p.repository, p.number)
    from raw.pull_request as p
    inner join changed as c on c.commit_key = commit_key(p.source, p.repository, p.merge_sha)
    union all
    select w.change_key
    from (select *, unnest([commit_key, parent_key]) as either from core.rebase) as w
    semi join changed as c on c.commit_key = w.either
columns:
  change_key: {type: ubigint, description: "Pull request, as the number of the change that it is or would be"}
  position: {type: integer, description: "From 1, the commit that merged it"}
  commit_key: {type: ubigint, description: "Commit, no merge"}
  parent_key: {type: ubigint, description: "Its first parent", nullable: true}
  is_whole: {type: boolean, description: "There are as many, and the first has the author's date of the pull request's first"}
*/
with recursive merged as materialized (
    select
        change_key(source, repository, number) as change_key, source, repository as repository_id, commits,
        first_commit_at, commit_key(source, repository, merge_sha) as merge_key
    from raw.pull_request as p
    -- refresh: semi join touched as t on t.change_key = change_key(p.source, p.repository, p.number)
    where merged_at is not null
),

made as materialized (
    select commit_key(source, repository, merge_sha) as merge_key from raw.pull_request where merged_at is not null
),

-- Every step of the walk looks through all of them.
earlier as materialized (
    select c.commit_key, c.parent_keys[1] as parent_key, c.authored_at
    from core.commit as c
    -- refresh: semi join (
    -- refresh:     select w.rowid as place
    -- refresh:     from core.commit as w
    -- refresh:     inner join (
    -- refresh:         select source, repository_id, min(first_commit_at) as since from merged group by all
    -- refresh:     ) as s using (source, repository_id)
    -- refresh:     where coalesce(w.authored_at, s.since) >= s.since
    -- refresh:         or w.commit_key in (select merge_key from merged)
    -- refresh: ) as w on w.place = c.rowid
    where not c.is_merge
),

-- A rebase writes as many commits anew, and the first keeps its author's date; a squash has one.
walk as (
    select
        m.change_key, m.commits, m.first_commit_at, c.commit_key, c.parent_key,
        c.authored_at as first_authored_at, 1 as n
    from merged as m
    inner join earlier as c on c.commit_key = m.merge_key
    where m.commits between 2 and 250
    union all
    select
        w.change_key, w.commits, w.first_commit_at, c.commit_key, c.parent_key,
        least(w.first_authored_at, c.authored_at), w.n + 1
    from walk as w
    inner join earlier as c on c.commit_key = w.parent_key
    where w.n < w.commits and coalesce(c.authored_at, w.first_commit_at) >= w.first_commit_at
        and not exists (select 1 from made as o where o.merge_key = w.parent_key)
),

whole as (
    select change_key
    from walk
    group by change_key
    having max(n) = any_value(commits) and arg_max(first_authored_at, n) = any_value(first_commit_at)
)

select change_key, w.n as position, w.commit_key, w.parent_key, h.change_key is not null as is_whole
from walk as w
left join whole as h using (change_key)
