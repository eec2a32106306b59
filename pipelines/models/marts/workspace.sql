/*
description: The workspace the snapshot was made for.
grain: one row
key: [organisation]
columns:
  organisation: {type: varchar, description: "Name of the organisation"}
  timezone: {type: varchar, description: "IANA name of the zone that days are cut in"}
  published_at: {type: timestamp with time zone, description: "When the models ran (UTC)"}
  covered_until: {type: timestamp with time zone, description: "Everything before this moment was read from every source (UTC)", nullable: true}
  is_demo: {type: boolean, description: "The figures are of a simulated organisation"}
*/
select
    w.organisation,
    w.timezone,
    b.built_at as published_at,
    (select min(covered_until) from core.repository) as covered_until,
    w.is_demo
from config.workspace as w
cross join config.build as b
