/*
description: >-
  Commits that show where a change is: those it owns, the one that merged it, the head it was merged from,
  and cherry-picks of these.
grain: one row per change, role, commit and pick of it
key: [change_id, role, sha]
by: [source, repository_id, origin_sha]
touched:
  core.commit: [source, repository_id, sha]
  core.claim: [source, repository_id, sha]
  core.pick: select source, repository_id, unnest([sha, origin_sha]) from changed
  lineage.label: >-
    select c.source, c.repository_id, unnest([k.sha, p.origin_sha])
    from changed as k
    inner join core.chain as c on c.chain_id = k.line_id
    left join core.pick as p on p.source = c.source and p.repository_id = c.repository_id and p.sha = k.sha
  core.merged_change: >-
    select source, repository_id, unnest([merge_sha, head_sha]) from changed
    union all
    select source, repository_id, c.sha from core.claim as c semi join changed using (source, repository_id, number)
columns:
  change_id: {type: varchar, description: "Change"}
  number: {type: bigint, description: "Pull request that the change is; null where it is a commit", nullable: true}
  source: {type: varchar, description: "Configured name of the source"}
  repository_id: {type: varchar, description: "Id within the source"}
  role: {type: varchar, description: "Part of the change, or one that holds all of it", accepted: [part, whole]}
  origin_sha: {type: varchar, description: "The commit itself, or what it was picked from"}
  sha: {type: varchar, description: "Commit id"}
*/
with unowned as (
    select source, repository_id, sha
    from core.commit as c
    -- refresh: semi join touched as t on t.source = c.source and t.repository_id = c.repository_id and t.origin_sha = c.sha
    anti join core.claim using (source, repository_id, sha)
    anti join core.pick using (source, repository_id, sha)
    where not is_merge
),

-- Itself, or as a cherry-pick.
shipping as (
    select source, repository_id, sha from unowned
    union all
    select source, repository_id, p.sha
    from core.pick as p
    semi join unowned as u
        on u.source = p.source and u.repository_id = p.repository_id and u.sha = p.origin_sha
),

shipped as (
    select s.source, s.repository_id, coalesce(p.origin_sha, s.sha) as sha
    from shipping as s
    inner join core.chain as c using (source, repository_id)
    left join core.pick as p using (source, repository_id, sha)
    semi join lineage.label as k on k.line_id = c.chain_id and k.sha = s.sha
),

own as (
    select m.change_id, m.number, c.source, c.repository_id, 'part' as role, c.sha
    from core.claim as c
    -- refresh: semi join touched as t on t.source = c.source and t.repository_id = c.repository_id and t.origin_sha = c.sha
    inner join core.merged_change as m using (source, repository_id, number)
    where c.is_owner and not c.is_pick
    union all
    select distinct source || ':' || repository_id || '@' || sha, null, source, repository_id, 'part', sha
    from shipped
    union all
    select change_id, number, source, repository_id, 'whole', unnest(list_distinct([merge_sha, head_sha]))
    from core.merged_change
)

select change_id, number, source, repository_id, role, sha as origin_sha, sha
from own
union all
select o.change_id, o.number, o.source, o.repository_id, o.role, o.sha, p.sha
from own as o
inner join core.pick as p on p.source = o.source and p.repository_id = o.repository_id and p.origin_sha = o.sha
inner join core.commit as c on c.source = o.source and c.repository_id = o.repository_id and c.sha = o.sha
left join core.merged_change as m on m.change_id = o.change_id
-- A pick of a merge brings all of it; one of a head, or of a squash, is one of a part.
where o.role = 'part' or (c.is_merge and o.sha = m.merge_sha)
