-- Number of distinct things; above a service those of all its members, each once.
with observed as (
    select subject_id, period_id, hash(thing) as thing from observation
    union all
    select r.subject_id, o.period_id, hash(o.thing)
    from observation as o
    inner join core.figure_subject as w using (subject_id)
    inner join core.roll_up as r on r.member_id = w.own_id
)

select
    subject_id, period_id,
    count(distinct thing) as value, count(distinct thing) as n,
    null as low, null as high, null::map(varchar, bigint) as excluded
from observed
group by all
