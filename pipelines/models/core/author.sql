/*
description: Who made each change, and whether a team is known to have or have had them among its members.
grain: one row per change of a person whose account or address is known
key: [change_key]
by: [change_key]
touched:
  core.change: [change_key]
  raw.pull_request: select change_key(source, repository, number) from changed
  core.commit: [commit_key]
columns:
  change_key: {type: ubigint, description: "Change, as a number"}
  author: {type: varchar, description: "Keyed hash"}
  has_team: {type: boolean, description: "Is or was in a team"}
*/
with recursive member as (
    select person from history.membership
    union
    select unnest([i.alias, i.person])
    from member as m
    inner join raw.identity as i on m.person in (i.alias, i.person)
),

change as materialized (
    select change_key, source, repository_id, number, is_pull_request
    from core.change
    -- refresh: semi join touched using (change_key)
    where not is_bot
),

written as (
    select h.change_key, p.author
    from change as h
    inner join raw.pull_request as p
        on p.source = h.source and p.repository = h.repository_id and p.number = h.number
    where h.is_pull_request
    union all
    select h.change_key, c.author
    from change as h
    -- The change of no pull request has its commit's number.
    inner join core.commit as c on c.commit_key = h.change_key
    where not h.is_pull_request
)

select change_key, author, author in (from member) as has_team
from written
where author is not null
