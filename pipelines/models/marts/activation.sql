/*
description: Whether teams that begin with a capability get something live with it.
metric:
  area: adoption
  title: Activation
  unit: ratio
  definition: >-
    Teams with a production deployment at most 30 days after they first touched the capability / teams that first
    touched it in the period, 30 days ago or more. The deployment is of a service with which they did. Teams that may have
    touched it before it was first looked for are left out and counted.
  better: higher
  estimate: rate
*/
select
    offer, null as service, team, touched_on as day,
    case
        when is_start_unknown then 'unknown_start'
        when touched_on + 30 > (select max(as_of) from marts.adoption_period) then 'recent'
    end as left_out,
    coalesce(local_date(deployed_at) <= touched_on + 30, false) as hit
from core.onboarding
