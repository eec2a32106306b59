-- Number of distinct things; above a service those of all its members, each once.
with observed as (
    select level, key, grain, period_start, thing from observation
    union all
    select r.level, r.key, o.grain, o.period_start, o.thing
    from observation as o
    inner join core.roll_up as r on r.member_level = o.level and r.member = o.key
)

select
    level, key, grain, period_start,
    count(distinct thing) as value, count(distinct thing) as n,
    null as low, null as high, null::map(varchar, bigint) as excluded
from observed
group by all
