/*
description: How long a template takes.
metric:
  area: adoption
  title: Template time
  unit: seconds
  definition: >-
    From request to done of the runs of the capability's templates begun in the period that completed. What is of no known
    service counts for the organisation alone.
  better: lower
  estimate: median
*/
select
    offer, service, team, day, epoch(finished_at) - epoch(started_at) as value,
    case when finished_at is null then 'undated' when finished_at < started_at then 'negative' end as left_out
from core.template_run
where result = 'success'
