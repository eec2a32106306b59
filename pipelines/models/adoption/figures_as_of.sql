-- A metric's figures, by the time for which they hold, without those that are withheld. Rows without a key say which there are.
select
    f.offer, f.level, f.key,
    greatest(f.valid_from, g.valid_from)::date as valid_from, least(f.valid_until, g.valid_until)::date as valid_until,
    f.value::double as value, f.n::bigint as n, f.low::double as low, f.high::double as high, f.excluded::json as excluded
from figure as f
inner join marts.adoption_group as g
    on g.offer = f.offer and g.level = f.level and g.key = f.key
    and g.valid_from < f.valid_until and g.valid_until > f.valid_from
where not g.is_suppressed
union all
select distinct offer, level, null, null, null, null, null, null, null, null
from figure
order by all
