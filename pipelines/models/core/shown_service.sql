/*
description: When a service may be named in lists of an offer's adopters, as its figures may be shown.
grain: one row per offer, service and time
key: [offer, service, valid_from]
needs: config.service_scope
columns:
  offer: {type: varchar, description: "`capability:` or `migration:` and the name, or `platform`"}
  service: {type: varchar, description: "Name of the service"}
  valid_from: {type: date, description: "First local day"}
  valid_until: {type: date, description: "Local day after the last"}
*/
select offer, key as service, valid_from, valid_until
from marts.adoption_group
where level = 'service' and not is_suppressed
