/*
description: >-
  Commits that show where a change is: those it owns, the one that merged it, the head it was merged from,
  and cherry-picks of these.
grain: one row per change, role, commit and pick of it
key: [change_key, role, commit_key, origin_key]
by: [origin_key]
touched:
  core.commit: [commit_key]
  core.claim: [commit_key]
  core.pick: select unnest([commit_key, origin_key]) from changed
  lineage.label: >-
    select commit_key from changed anti join core.claim using (commit_key)
    union all
    select unnest([commit_key, p.origin_key]) from changed inner join core.pick as p using (commit_key)
  core.merged_change: >-
    select commit_key(source, repository_id, unnest([merge_sha, head_sha])) from changed
    union all
    select c.commit_key from core.claim as c semi join changed using (source, repository_id, number)
columns:
  change_key: {type: ubigint, description: "Change, as a number"}
  number: {type: bigint, description: "Pull request that the change is; null where it is a commit", nullable: true}
  source: {type: varchar, description: "Configured name of the source"}
  repository_id: {type: varchar, description: "Id within the source"}
  role: {type: varchar, description: "Part of the change, or one that holds all of it", accepted: [part, whole]}
  sha: {type: varchar, description: "Commit id"}
  commit_key: {type: ubigint, description: "The commit as a number"}
  origin_key: {type: ubigint, description: "Its own, or that of the commit that it was picked from"}
*/
with unowned as (
    select commit_key
    from core.commit as c
    -- refresh: semi join touched as t on t.origin_key = c.commit_key
    anti join core.claim using (commit_key)
    anti join core.pick using (commit_key)
    where not is_merge
),

-- Itself, or as a cherry-pick.
shipping as (
    select commit_key, commit_key as origin_key from unowned
    union all
    select p.commit_key, p.origin_key
    from core.pick as p
    semi join unowned as u on u.commit_key = p.origin_key
),

shipped as (
    select s.origin_key as commit_key
    from shipping as s
    semi join (
        from lineage.label as k
        -- refresh: semi join (select commit_key from shipping where is_any(commit_key)) using (commit_key)
        semi join core.chain as c on c.chain_id = k.line_id
    ) as k using (commit_key)
),

own as (
    select m.change_key, m.number, c.source, c.repository_id, 'part' as role, c.sha, c.commit_key
    from core.claim as c
    -- refresh: semi join touched as t on t.origin_key = c.commit_key
    inner join core.merged_change as m using (source, repository_id, number)
    where c.is_owner and not c.is_pick
    union all
    select commit_key, null, source, repository_id, 'part', sha, commit_key
    from core.commit
    semi join (select commit_key from shipped group by commit_key having count(*) > 0) using (commit_key)
    union all
    select change_key, number, source, repository_id, 'whole', sha, commit_key
    from (
        select *, commit_key(source, repository_id, sha) as commit_key
        from (
            select *, merge_sha as sha from core.merged_change
            union all
            select *, head_sha from core.merged_change where head_sha is distinct from merge_sha
        )
        where sha is not null
    )
    -- refresh: semi join touched as t on t.origin_key = commit_key
)

select change_key, number, source, repository_id, role, sha, commit_key, commit_key as origin_key
from own
union all
select o.change_key, o.number, o.source, o.repository_id, o.role, p.sha, p.commit_key, p.origin_key
from own as o
inner join core.pick as p on p.origin_key = o.commit_key
inner join core.commit as c on c.commit_key = o.commit_key
left join core.merged_change as m on m.change_key = o.change_key
-- A pick of a merge brings all of it; one of a head, or of a squash, is one of a part.
where o.role = 'part' or (c.is_merge and o.sha = m.merge_sha)
