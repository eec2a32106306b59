/*
description: >-
  Days on which all states of a scope were seen, be it none: these alone can say that something is no longer there.
grain: one row per source, scope and local day
key: [source, scope, observed_on]
columns:
  source: {type: varchar, description: "Configured name of the source"}
  scope: {type: varchar, description: "Part of it: a repository's id, `catalog`, or the whole"}
  observed_on: {type: date, description: "Local day"}
  observed_at: {type: timestamp with time zone, description: "When its last snapshot of that day began (UTC)"}
*/
select source, scope, local_date(taken_at) as observed_on, max(taken_at) as observed_at
from raw.snapshot
inner join config.source using (source)
group by all
