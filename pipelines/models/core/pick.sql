/*
description: Cherry-picks and the commit that each goes back to, through any number of picks.
grain: one row per repository and picked commit
key: [commit_key]
columns:
  commit_key: {type: ubigint, description: "The pick as a number"}
  origin_key: {type: ubigint, description: "The commit picked first, as a number"}
*/
with recursive named as (
    select source, repository as repository_id, sha, lower(picked_from) as picked_from
    from raw.commit
    where picked_from is not null
),

-- An abbreviation counts where one commit alone begins with it.
direct as (
    select n.source, n.repository_id, n.sha, any_value(c.sha) as from_sha
    from named as n
    inner join core.commit as c
        on c.source = n.source and c.repository_id = n.repository_id
        and left(c.sha, 7) = left(n.picked_from, 7) and starts_with(c.sha, n.picked_from)
    where len(n.picked_from) >= 7
    group by all
    having count(*) = 1 and any_value(c.sha) <> n.sha
),

step as (
    select source, repository_id, sha, from_sha, [sha, from_sha] as seen from direct
    union all
    select s.source, s.repository_id, s.sha, d.from_sha, list_append(s.seen, d.from_sha)
    from step as s
    inner join direct as d on d.source = s.source and d.repository_id = s.repository_id and d.sha = s.from_sha
    where not list_contains(s.seen, d.from_sha)
)

select
    commit_key(source, repository_id, sha) as commit_key,
    max_by(commit_key(source, repository_id, from_sha), len(seen)) as origin_key
from step
group by source, repository_id, sha
