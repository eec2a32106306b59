/*
description: >-
  Of the services that first used an offer in a month, how many used it so many times 30 days after. Of cohorts that are
  old enough alone; what was dormant then is in neither number.
grain: one row per capability, month and number of months after
key: [capability, cohort_month, month_number]
needs: config.service_scope
columns:
  capability: {type: varchar, description: "Name of the capability; null for any", nullable: true}
  cohort_month: {type: date, description: "First local day of the month of first use"}
  month_number: {type: bigint, description: "Times 30 days after the first use; 0 is that day"}
  services: {type: bigint, description: "Services of the cohort that were active then; null where withheld", nullable: true}
  retained: {type: bigint, description: "Those of them that used it; null where withheld", nullable: true}
*/
with cohort as (
    select a.offer, a.service, a.used_from, period_start('month', a.used_from) as cohort_month
    from core.adoption as a
    inner join core.offer as o on o.offer = a.offer and o.service = a.service and a.used_from >= o.valid_from
    where a.is_first and not a.is_start_unknown
),

due as (
    select *, unnest(generate_series(0, 24)) as month_number
    from cohort
    cross join (select max(as_of) as day from marts.adoption_period)
    where cohort_month <= day
),

seen as (
    select d.offer, d.cohort_month, d.month_number, d.service, bool_or(l.kind = 'using') as is_using
    from due as d
    inner join core.adoption_life as l
        on l.offer = d.offer and l.service = d.service and l.kind <> 'dormant'
        and l.valid_from <= d.used_from + 30 * d.month_number::integer
        and l.valid_until > d.used_from + 30 * d.month_number::integer
    where period_end('month', d.cohort_month) + 30 * d.month_number::integer <= d.day + 1
    group by all
)

select
    case when s.offer <> 'platform' then substr(s.offer, 12) end as capability, s.cohort_month, s.month_number,
    if(bool_or(g.is_suppressed), null, count(*)) as services,
    if(bool_or(g.is_suppressed), null, count_if(s.is_using))::bigint as retained
from seen as s
cross join config.workspace as w
inner join marts.adoption_group as g
    on g.offer = s.offer and g.level = 'organisation' and g.key = w.organisation
    and g.valid_from < period_end('month', s.cohort_month) and g.valid_until >= period_end('month', s.cohort_month)
group by s.offer, s.cohort_month, s.month_number
order by all
