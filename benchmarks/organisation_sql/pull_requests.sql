-- A pull request that is squashed or rebased lists commits that the repository does not keep.
create or replace temp table news as
select *, false as is_abandoned from item where way <> 'push' and (happened(opened_at) or happened(landed_at))
union all
-- One in twenty-five comes to nothing.
select * replace (-k as k), true
from item
where way <> 'push' and (happened(opened_at) or happened(landed_at)) and chance('abandoned', r, k) < 0.04;

delete from raw.pull_request as p using news as n where p.repository = n.r::varchar and p.number = number_of(n.k);

insert into raw.pull_request by name
select
    'github' as source, name as scope, r::varchar as repository, number_of(k) as number,
    url || '/pull/' || number_of(k) as url, author, is_bot,
    if(is_abandoned, 'change', kind) as kind, chance('hotfix', r, k) < 0.01 as is_hotfix, 'main' as base_ref,
    shas[-1] as head_sha,
    if(landed_at < getvariable('until') and not is_abandoned, sha(r, k, 0), null) as merge_sha,
    begun_at + (opened_at - begun_at) / (commits + 1) as first_commit_at,
    opened_at, if(chance('draft', r, k) < 0.2, known(opened_at + (landed_at - opened_at) * 0.2), null) as ready_at,
    if(chance('review', r, k) < 0.9, known(opened_at + (landed_at - opened_at) * 0.5), null) as first_review_at,
    if(chance('review', r, k) < 0.8, known(opened_at + (landed_at - opened_at) * 0.8), null) as approved_at,
    if(is_abandoned, null, known(landed_at)) as merged_at,
    known(landed_at) as closed_at,
    pick('added', r, k, 400) as additions, pick('deleted', r, k, 200) as deletions,
    1 + pick('files', r, k, 20) as changed_files, commits, pick('reviews', r, k, 4) as reviews,
    if(chance('label', r, k) < 0.01, ['hotfix'], []) as labels,
    if(kind = 'revert' and not is_abandoned, number_of(k - 1 - pick('reverted', r, k, 4)), null) as reverts,
    shas as commit_shas
from (
    select *, list_transform(
        range(1, commits + 1), lambda p: sha(r, k, if(way = 'merge' and not is_abandoned, p, -p))
    ) as shas
    from news
)
where opened_at < getvariable('until')
