-- What is observed of a service or team, at each level that it was part of on that day, in the periods it falls in.
with member as (
    select m.level, m.key, o.*
    from observation as o
    inner join core.adoption_member as m
        on m.service = o.service::varchar and o.day >= m.valid_from and o.day < m.valid_until
    union all
    select m.level, m.key, o.*
    from observation as o
    inner join core.adoption_member as m on m.team = o.team::varchar and o.day >= m.valid_from and o.day < m.valid_until
    where o.service is null
    union all
    select 'organisation', w.organisation, o.*
    from observation as o
    cross join config.workspace as w
    where o.service is null and o.team is null
),

dated as (
    select *, period_start(grain, day) as period_start
    from (select *, unnest(grains()) as grain from member)
)

select
    * replace (
        case
            when $matures > 0 and period_end(grain, period_start) + $matures > (select max(as_of) from marts.adoption_period) + 1
                then 'recent'
            else left_out
        end::varchar as left_out
    )
from dated
