/*
description: >-
  Merged pull requests that are changes. One that brought only what others own, as from develop to main, or
  cherry-picks alone, is none; one that claims no commit that was read is, for nothing else is known of it.
grain: one row per pull request
key: [change_key]
by: [change_key]
touched:
  core.claim: [change_key]
  raw.pull_request: select change_key(source, repository, number) from changed
  core.repository: >-
    select change_key(p.source, p.repository, p.number)
    from raw.pull_request as p
    inner join changed as r on r.source = p.source and r.repository_id = p.repository
columns:
  change_key: {type: ubigint, description: "Change, as a number"}
  source: {type: varchar, description: "Configured name of the source"}
  repository_id: {type: varchar, description: "Id within the source"}
  number: {type: bigint, description: "Pull request"}
  merge_key: {type: ubigint, description: "Commit that brought it to its base, as a number", nullable: true}
  head_key: {type: ubigint, description: "Commit it was merged from, as a number", nullable: true}
*/
with claimed as (
    select change_key, count(*) filter (is_owner and not is_pick) as owned
    from core.claim
    -- refresh: semi join touched using (change_key)
    group by change_key
),

merged as (
    select
        change_key(source, repository, number) as change_key, source, repository, number, merge_sha, head_sha
    from raw.pull_request as p
    -- refresh: semi join touched as t on t.change_key = change_key(p.source, p.repository, p.number)
    where merged_at is not null
)

select
    p.change_key, p.source, p.repository as repository_id, p.number,
    if(p.merge_sha is null, null, commit_key(p.source, p.repository, p.merge_sha)) as merge_key,
    if(p.head_sha is null, null, commit_key(p.source, p.repository, p.head_sha)) as head_key
from merged as p
inner join core.repository as r on r.source = p.source and r.repository_id = p.repository
left join claimed as c using (change_key)
where coalesce(c.owned > 0, true)
