/*
description: How much people get by themselves.
metric:
  area: adoption
  title: Self-service share
  unit: ratio
  definition: >-
    Completed runs of the capability's templates / these and requests by ticket (evidence of the kind `ticket`), each on the
    day it was made. What is of no known service counts for the organisation alone.
  better: higher
  estimate: rate
*/
with asked as (
    select 'capability:' || e.capability as offer, any_value(e.service) as service, any_value(e.team) as team, e.observed_on as day
    from core.capability_evidence as e
    inner join config.capability_rule as r using (rule_id)
    where r.kind = 'ticket' and e.capability in (select capability from config.capability)
    group by e.capability, split_part(e.evidence_id, '|', 1), e.observed_on
),

every as (
    from asked
    union all
    select 'platform', service, team, day from asked
)

select offer, service, team, day, false as hit, null as left_out
from every
union all
select offer, service, team, day, true, null
from core.template_run
where result = 'success'
