/*
description: >-
  When each level has services that count for an offer, and whether its figures are withheld: those of fewer than three
  people who committed to these services in the month or the two before; and, where these are one or two, those of the
  smallest beside it, without which they were told by the difference to what is above both.
grain: one row per offer, level, key and time
key: [offer, level, key, valid_from]
needs: config.service_scope
columns:
  offer: {type: varchar, description: "`capability:` or `migration:` and the name, or `platform`"}
  level: {type: varchar, description: "What figures are about", accepted: [organisation, team, service, tier, kind]}
  key: {type: varchar, description: "Its name at that level"}
  valid_from: {type: date, description: "First local day"}
  valid_until: {type: date, description: "Local day after the last"}
  is_suppressed: {type: boolean, description: "Figures are withheld"}
*/
with month as (
    select period_start as month, period_end as next_month from marts.adoption_period where grain = 'month'
),

-- A service is where it was on the last day of the month that it counted.
member as (
    select distinct l.offer, m.level, m.key, l.service, p.month, p.next_month
    from core.adoption_life as l
    inner join month as p on p.month < l.valid_until and p.next_month > l.valid_from
    inner join core.adoption_member as m
        on m.service = l.service and m.valid_from < least(l.valid_until, p.next_month)
        and m.valid_until > greatest(l.valid_from, p.month)
    where l.kind <> 'using'
),

written as (
    select distinct w.service, w.author, p.month
    from core.service_work as w
    inner join month as p on w.day >= p.month - interval 2 month and w.day < p.next_month
    where w.work = 'commit' and w.author is not null
),

counted as (
    select m.offer, m.level, m.key, m.month, any_value(m.next_month) as next_month, count(distinct w.author) as authors
    from member as m
    left join written as w using (service, month)
    group by all
),

-- What each is beside: teams under one parent, a team's services, tiers, kinds.
beside as (
    select distinct c.offer, c.level, c.key, c.month, c.authors, coalesce(v.parent, o.team, '') as part_of
    from counted as c
    left join core.team_version as v
        on c.level = 'team' and v.team = c.key
        and v.valid_from < local_moment(c.next_month) and v.valid_until > local_moment(c.month)
    left join core.ownership as o
        on c.level = 'service' and o.service = c.key
        and o.valid_from < local_moment(c.next_month) and o.valid_until > local_moment(c.month)
    where c.level <> 'organisation'
),

complement as (
    select distinct offer, level, key, month
    from (
        select
            *, bool_or(authors in (1, 2)) over beside_it as has_few,
            row_number() over (partition by offer, level, part_of, month order by authors < 3, authors, key) as place
        from beside
        window beside_it as (partition by offer, level, part_of, month)
    )
    where has_few and authors >= 3 and place = 1
),

marked as (
    select
        c.offer, c.level, c.key, c.month, c.next_month, c.authors < 3 or n.key is not null as is_suppressed
    from counted as c
    left join complement as n using (offer, level, key, month)
),

island as (
    select
        *, (month, is_suppressed) is distinct from (lag(next_month) over w, lag(is_suppressed) over w) as begins
    from marked
    window w as (partition by offer, level, key order by month)
)

select
    offer, level, key,
    greatest(min(month), any_value(o.valid_from)) as valid_from,
    least(max(next_month), any_value(o.valid_until)) as valid_until,
    is_suppressed
from (
    select *, count_if(coalesce(begins, true)) over (partition by offer, level, key order by month) as number
    from island
)
left join (
    select offer, min(valid_from) as valid_from, max(valid_until) as valid_until from core.offer group by offer
) as o using (offer)
group by offer, level, key, is_suppressed, number
order by offer, level, key, valid_from
