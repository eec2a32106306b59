create or replace temp table item as
with numbered as (
    select
        id as r, name, url, is_shared, step,
        unnest(range(
            greatest(0, epoch(getvariable('since') - getvariable('began')) // step - 1)::bigint,
            (epoch(getvariable('until') + interval 30 day - getvariable('began')) // step)::bigint
        )) as k
    from bench.repository
),

drawn as (
    select
        *, after_steps(k + chance('item', r, k), step) as landed_at,
        case
            when k = 0 or chance('way', r, k) < 8 / 15 then 'push'
            when chance('way', r, k) < 8 / 15 + 7 / 15 * 0.75 then 'merge'
            when chance('way', r, k) < 8 / 15 + 7 / 15 * 0.88 then 'squash'
            else 'rebase'
        end as way,
        least(40, 1 + floor(-9 * ln(1 - chance('size', r, k))))::bigint as size,
        chance('bot', r, k) < 0.06 as is_bot,
        chance('kind', r, k) as kind_chance,
        least(interval 29 day, wait('review', r, k, 100000)) as open_for
    from numbered
)

select
    * exclude (size, kind_chance, open_for),
    if(way = 'push' or is_bot, 1, size) as commits,
    case when kind_chance < 0.01 and k > 5 then 'revert' when kind_chance < 0.2 then 'fix' else 'change' end as kind,
    landed_at - open_for as opened_at,
    landed_at - open_for - wait('coding', r, k, 60000) as begun_at,
    lower(hex(hash('person', r % 997, pick('author', r, k, 12)))) as author,
    -- Whose part of a shared repository it touches.
    if(is_shared, ['part-' || pick('part', r, k, 2)], null) as folders
from drawn
