/*
description: >-
  The first deployment of each line that contains a change: the commit that merged it, the head it was
  merged from, or every commit of it, be it as a cherry-pick.
grain: one row per line and change
key: [line_id, change_key]
by: [change_key]
touched:
  core.change_commit: [change_key]
  core.change: [change_key]
  lineage.label: select change_key from core.change_commit semi join changed using (commit_key)
columns:
  line_id: {type: varchar, description: "Chain, and the environment"}
  change_key: {type: ubigint, description: "Change, as a number"}
  sequence: {type: bigint, description: "Position in the line"}
*/
with owned as not materialized (
    select change_key, role, commit_key, origin_key
    from core.change_commit
    -- refresh: semi join touched using (change_key)
),

picked as (
    select distinct change_key from owned where commit_key <> origin_key
),

-- Of a commit and its cherry-picks the first counts.
part as (
    select o.change_key, o.role, o.commit_key, if(p.change_key is not null, o.origin_key, null) as origin_key
    from owned as o
    left join picked as p using (change_key)
),

labelled as (
    select k.line_id, o.change_key, o.role, o.origin_key, k.sequence
    from part as o
    inner join lineage.label as k using (commit_key)
),

contained as (
    select line_id, change_key, role, sequence
    from labelled
    where origin_key is null
    union all
    select line_id, change_key, role, min(sequence)
    from labelled
    where origin_key is not null
    group by line_id, change_key, role, origin_key
),

least_of as (
    select
        line_id, change_key,
        min(sequence) filter (role = 'whole') as whole,
        max(sequence) filter (role = 'part') as parts,
        count(*) filter (role = 'part') as commits
    from contained
    group by all
)

select l.line_id, l.change_key, least(l.whole, if(l.commits = c.commits, l.parts, null)) as sequence
from least_of as l
inner join core.change as c using (change_key)
where l.whole is not null or (l.commits = c.commits and l.commits > 0)
