-- A metric's figures, by period, without those that are withheld. Rows without a key say which there are.
select
    f.offer, f.level, f.key, f.grain, f.period_start,
    f.value::double as value, f.n::bigint as n, f.low::double as low, f.high::double as high, f.excluded::json as excluded
from figure as f
inner join marts.adoption_period as p using (grain, period_start)
inner join marts.adoption_group as g
    on g.offer = f.offer and g.level = f.level and g.key = f.key
    and p.as_of >= g.valid_from and p.as_of < g.valid_until
where not g.is_suppressed
union all
select distinct offer, level, null, null, null, null, null, null, null, null
from figure
order by all
