/*
description: How often a template that is run gets to its end.
metric:
  area: adoption
  title: Template success
  unit: ratio
  definition: >-
    Runs of the capability's templates begun in the period that completed / that completed, failed or were cancelled.
    Those that run, or of which nothing is known, are left out and counted. What is of no known service counts for the
    organisation alone.
  better: higher
  estimate: rate
*/
select
    offer, service, team, day, result = 'success' as hit,
    if(result in ('success', 'failed', 'cancelled'), null, if(result in ('running', 'skipped'), result, 'unknown')) as left_out
from core.template_run
