/*
description: How many of the people who write software use a capability.
metric:
  area: adoption
  title: Developer reach
  unit: ratio
  definition: >-
    People with a value event of the capability in its cadence up to the end of the period / people with a merged change
    in the 28 days up to it, each once. Only of capabilities that people themselves are seen to use.
  better: higher
  estimate: rate_as_of
  is_placed: true
*/
with person as (
    select alias, min(person) as person from raw.identity group by alias
),

used as (
    select
        'capability:' || e.capability as offer, coalesce(p.person, e.subject) as person, e.observed_on as begins,
        e.observed_on + c.cadence_days::integer as ends
    from core.capability_evidence as e
    anti join (from config.capability_rule where kind = 'ticket') as r using (rule_id)
    inner join config.capability as c on c.capability = e.capability
    left join person as p on p.alias = e.subject
    where e.subject_kind = 'person' and e.kind = 'used' and coalesce(e.result, 'success') = 'success'
),

merged as (
    select distinct o.offer, m.level, m.key, w.author as person, w.day as begins, (w.day + 28)::date as ends
    from core.service_work as w
    inner join core.offer as o on o.service = w.service
    inner join core.adoption_member as m
        on m.service = w.service and w.day >= m.valid_from and w.day < m.valid_until
    where w.work = 'merged_change' and o.offer in (select offer from used)
),

-- Days that overlap become one spell of each person.
spell as (
    select offer, level, key, person, min(begins) as begins, max(ends) as ends
    from (
        select *, count_if(coalesce(is_new, true)) over (partition by offer, level, key, person order by begins) as number
        from (
            select *, begins > lag(ends) over (partition by offer, level, key, person order by begins) as is_new
            from (
                from merged
                union all
                select distinct offer, '', '', person, begins, ends from used
            )
        )
    )
    group by offer, level, key, person, number
),

offered as (
    select offer, min(valid_from) as valid_from, max(valid_until) as valid_until from core.offer group by offer
),

active as (
    select
        s.offer, s.level, s.key, s.person, greatest(s.begins, o.valid_from) as valid_from,
        least(s.ends, o.valid_until) as valid_until
    from spell as s
    inner join offered as o using (offer)
    where s.level <> '' and greatest(s.begins, o.valid_from) < least(s.ends, o.valid_until)
)

select offer, level, key, person as service, valid_from, valid_until, 'one' as part, 1 as weight
from active
union all
select a.offer, a.level, a.key, a.person, greatest(a.valid_from, s.begins), least(a.valid_until, s.ends), 'hit', 1
from active as a
inner join spell as s
    on s.level = '' and s.offer = a.offer and s.person = a.person and s.begins < a.valid_until and s.ends > a.valid_from
