insert into raw.commit by name
with made as (
    select
        *, unnest(case way
            when 'merge' then range(0, commits + 1)
            when 'rebase' then range(0, commits)
            else [0]
        end) as place
    from item
),

-- Position 0 is where the main branch stands after the item.
dated as (
    select
        *, place = 0 and way = 'merge' as is_merge,
        case
            when is_merge or way = 'push' then landed_at
            when place = 0 then begun_at
            else begun_at + (opened_at - begun_at) * (place / (commits + 1))
        end as authored_at,
        if(way = 'merge' and place > 0, authored_at, landed_at) as committed_at,
        if(way = 'merge' and place > 0, opened_at, landed_at) as seen_at
    from made
)

select
    'github' as source, name as scope, r::varchar as repository, sha(r, k, place) as sha,
    case
        when k = 0 then []
        when place = 0 and way = 'merge' then [sha(r, k - 1, 0), sha(r, k, commits)]
        when place = 0 and way = 'rebase' and commits > 1 then [sha(r, k, commits - 1)]
        when place = 0 then [sha(r, k - 1, 0)]
        when place > 1 then [sha(r, k, place - 1)]
        when way = 'rebase' then [sha(r, k - 1, 0)]
        else [sha(r, item_before(begun_at, step), 0)]
    end as parents,
    author, is_bot, authored_at, committed_at,
    case when is_merge then 'merge' when place = 0 then kind else 'change' end as kind,
    if(place = 0 and way in ('merge', 'squash'), k + 1, null) as change_number,
    if(kind = 'revert' and place = 0 and way <> 'merge', sha(r, k - 1 - pick('reverted', r, k, 4), 0), null) as reverts,
    folders
from dated
where happened(seen_at)
