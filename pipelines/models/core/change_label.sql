/*
description: >-
  The first deployment of each line that contains a change: the commit that merged it, the head it was
  merged from, or every commit of it, be it as a cherry-pick.
grain: one row per line and change
key: [line_id, change_id]
by: [change_id]
touched:
  core.change_commit: [change_id]
  core.change: [change_id]
  lineage.label: >-
    select o.change_id
    from changed as k
    inner join (select distinct line_id, source, repository_id from core.line) as l using (line_id)
    inner join core.change_commit as o
        on o.source = l.source and o.repository_id = l.repository_id and o.sha = k.sha
  core.line: >-
    select o.change_id
    from core.change_commit as o
    semi join (from changed where sequence = 1) as l
        on l.source = o.source and l.repository_id = o.repository_id
columns:
  line_id: {type: varchar, description: "Chain, and the environment"}
  change_id: {type: varchar, description: "Change"}
  sequence: {type: bigint, description: "Position in the line"}
*/
with line as (
    select line_id, any_value(source) as source, any_value(repository_id) as repository_id
    from core.line
    group by line_id
),

picked as (
    select distinct change_id
    from core.change_commit
    -- refresh: semi join touched using (change_id)
    where sha <> origin_sha
),

-- Of a commit and its cherry-picks the first counts.
part as (
    select o.source, o.repository_id, o.change_id, o.role, o.sha, if(p.change_id is not null, o.origin_sha, null) as origin_sha
    from core.change_commit as o
    -- refresh: semi join touched using (change_id)
    left join picked as p using (change_id)
),

labelled as (
    select l.line_id, o.change_id, o.role, o.origin_sha, k.sequence
    from part as o
    inner join line as l using (source, repository_id)
    inner join lineage.label as k on k.line_id = l.line_id and k.sha = o.sha
),

contained as (
    select line_id, change_id, role, sequence
    from labelled
    where origin_sha is null
    union all
    select line_id, change_id, role, min(sequence)
    from labelled
    where origin_sha is not null
    group by line_id, change_id, role, origin_sha
),

least_of as (
    select
        line_id, change_id,
        min(sequence) filter (role = 'whole') as whole,
        max(sequence) filter (role = 'part') as parts,
        count(*) filter (role = 'part') as commits
    from contained
    group by all
)

select l.line_id, l.change_id, least(l.whole, if(l.commits = c.commits, l.parts, null)) as sequence
from least_of as l
inner join core.change as c using (change_id)
where l.whole is not null or (l.commits = c.commits and l.commits > 0)
