-- Share of what is observed (`one`) that is a `hit`, day by day, with Wilson's interval. Every other `part` is left out.
with moment as (
    select offer, level, key, unnest([valid_from, valid_until]) as day, part, unnest([weight, -weight]) as weight
    from placed
),

running as (
    select
        offer, level, key, day as valid_from, lead(day, 1, 'infinity') over so_far as valid_until,
        sum(sum(weight) filter (part = 'one')) over so_far as n,
        coalesce(sum(sum(weight) filter (part = 'hit')) over so_far, 0) as hits,
        sum(sum(weight) filter (part = 'dormant')) over so_far as dormant,
        sum(sum(weight) filter (part = 'unknown_start')) over so_far as unknown_start,
        sum(sum(weight) filter (part = 'unknown_version')) over so_far as unknown_version
    from moment
    group by offer, level, key, day
    window so_far as (partition by offer, level, key order by day)
)

select
    offer, level, key, valid_from, valid_until,
    if(n > 0, hits / n, null) as value,
    coalesce(n, 0) as n,
    if(n > 0, greatest(wilson_middle(hits, n) - wilson_margin(hits, n), 0), null) as low,
    if(n > 0, least(wilson_middle(hits, n) + wilson_margin(hits, n), 1), null) as high,
    map_from_entries(list_filter(
        [('dormant', dormant), ('unknown_start', unknown_start), ('unknown_version', unknown_version)],
        lambda entry: entry[2] > 0
    )) as excluded
from running
