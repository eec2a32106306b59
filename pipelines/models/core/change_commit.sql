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
    select unnest([merge_key, head_key]) from changed
    union all
    select commit_key from core.claim semi join changed using (change_key)
columns:
  change_key: {type: ubigint, description: "Change, as a number"}
  role: {type: varchar, description: "Part of the change, or one that holds all of it", accepted: [part, whole]}
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
    select change_key, 'part' as role, commit_key
    from core.claim as c
    -- refresh: semi join touched as t on t.origin_key = c.commit_key
    semi join core.merged_change using (change_key)
    where is_owner and not is_pick
    union all
    select distinct commit_key, 'part', commit_key from shipped
    union all
    select change_key, 'whole', merge_key
    from core.merged_change
    -- refresh: semi join touched as t on t.origin_key = merge_key
    where merge_key is not null
    union all
    select change_key, 'whole', head_key
    from core.merged_change
    -- refresh: semi join touched as t on t.origin_key = head_key
    where head_key is not null and head_key is distinct from merge_key
)

select change_key, role, commit_key, commit_key as origin_key
from own
union all
select o.change_key, o.role, p.commit_key, p.origin_key
from own as o
inner join core.pick as p on p.origin_key = o.commit_key
inner join core.commit as c on c.commit_key = o.commit_key
left join core.merged_change as m using (change_key)
-- A pick of a merge brings all of it; one of a head, or of a squash, is one of a part.
where o.role = 'part' or (c.is_merge and o.commit_key = m.merge_key)
