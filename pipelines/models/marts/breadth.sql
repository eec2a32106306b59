/*
description: How much of what it could use of the platform a service uses.
metric:
  area: adoption
  title: Breadth
  unit: ratio
  definition: >-
    Capabilities that a service uses at the end of the period, as in reach / those it is eligible for, of services with
    a commit in the 90 days up to it. Above a service, the median over services.
  better: higher
  estimate: median_as_of
*/
with moment as (
    select service, unnest([valid_from, valid_until]) as day, kind, unnest([1, -1]) as weight
    from core.adoption_life
    where starts_with(offer, 'capability:') and kind <> 'dormant'
),

running as (
    select
        service, day as valid_from, lead(day) over so_far as valid_until,
        sum(coalesce(sum(weight) filter (kind = 'active'), 0)) over so_far as eligible,
        sum(coalesce(sum(weight) filter (kind = 'using'), 0)) over so_far as used
    from moment
    group by service, day
    window so_far as (partition by service order by day)
)

select 'platform' as offer, service, valid_from, valid_until, used / eligible as value, eligible as n
from running
where eligible > 0 and valid_until is not null
