/*
description: How much of what is asked of a service it does.
metric:
  area: adoption
  title: Conformance
  unit: ratio
  definition: >-
    Weight of the checks that a service passes at the end of the period / weight of those asked of it, of services with
    a commit in the 90 days up to it. Above a service, the median over services.
  better: higher
  estimate: median_as_of
*/
-- What the figure of one service rests on is its checks.
select 'platform' as offer, service, valid_from, valid_until, (passed / asked)::double as value, checks as n
from core.conformance
