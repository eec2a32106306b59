/*
description: >-
  Merged pull requests that are changes. One that brought only what others own, as from develop to main, or
  cherry-picks alone, is none; one that claims no commit that was read is, for nothing else is known of it.
grain: one row per pull request
key: [change_key]
by: [source, repository_id, number]
touched:
  core.claim: [source, repository_id, number]
  raw.pull_request: [source, repository, number]
  core.repository: >-
    select p.source, p.repository, p.number
    from raw.pull_request as p
    inner join changed as r on r.source = p.source and r.repository_id = p.repository
columns:
  change_key: {type: ubigint, description: "Change, as a number"}
  source: {type: varchar, description: "Configured name of the source"}
  repository_id: {type: varchar, description: "Id within the source"}
  number: {type: bigint, description: "Pull request"}
  merge_sha: {type: varchar, description: "Commit that brought it to its base", nullable: true}
  head_sha: {type: varchar, description: "Commit it was merged from", nullable: true}
*/
with claimed as (
    select source, repository_id, number, count(*) filter (is_owner and not is_pick) as owned
    from core.claim
    -- refresh: semi join touched using (source, repository_id, number)
    group by all
)

select
    change_key(p.source, p.repository, p.number) as change_key, p.source, p.repository as repository_id,
    p.number, p.merge_sha, p.head_sha
from raw.pull_request as p
-- refresh: semi join touched as t on t.source = p.source and t.repository_id = p.repository and t.number = p.number
inner join core.repository as r on r.source = p.source and r.repository_id = p.repository
left join claimed as c on c.source = p.source and c.repository_id = p.repository and c.number = p.number
where p.merged_at is not null and coalesce(c.owned > 0, true)
