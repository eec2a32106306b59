/*
description: Records that could not be understood, kept aside.
grain: one row per source, stream and reason
key: [source, stream, reason]
columns:
  source: {type: varchar, description: "Configured name of the source"}
  stream: {type: varchar, description: "Kind of record"}
  reason: {type: varchar, description: "What is wrong with them"}
  records: {type: bigint, description: "How many"}
  example: {type: varchar, description: "What names one of them in the tool"}
*/
select source, stream, reason, count(*) as records, min(id) as example
from raw.quarantine
inner join config.source using (source)
group by all
order by all
