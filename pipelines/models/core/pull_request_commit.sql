/*
description: Commits of pull requests, by what the host says of them.
grain: one row per pull request and commit; two where one that is not listed is both head and merge
key: [change_key, commit_key, role]
by: [change_key]
touched:
  raw.pull_request: select change_key(source, repository, number) from changed
columns:
  change_key: {type: ubigint, description: "Pull request, as the number of the change that it is or may become"}
  commit_key: {type: ubigint, description: "Commit, as a number, be it known or not"}
  role: {type: varchar, description: "Listed; else the head; else the one that the merge made", accepted: [listed, head, merge]}
*/
with pull_request as not materialized (
    select
        source, repository, change_key(source, repository, number) as change_key,
        commit_shas as shas, head_sha, merge_sha
    from raw.pull_request as p
    -- refresh: semi join (
    -- refresh:     select w.rowid as place
    -- refresh:     from raw.pull_request as w
    -- refresh:     semi join touched as t on t.change_key = change_key(w.source, w.repository, w.number)
    -- refresh: ) as w on w.place = p.rowid
),

said as (
    select change_key, source, repository, 'listed' as role, unnest(list_distinct(shas)) as sha from pull_request
    union all
    select change_key, source, repository, 'head', head_sha
    from pull_request
    where head_sha is not null and not list_contains(shas, head_sha)
    union all
    select change_key, source, repository, 'merge', merge_sha
    from pull_request
    where merge_sha is not null and not list_contains(shas, merge_sha)
)

select change_key, commit_key(source, repository, sha) as commit_key, role from said
