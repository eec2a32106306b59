/*
description: How much of each kind of record is known from each source, and how much of it was set aside.
grain: one row per source and stream
key: [source, stream]
columns:
  source: {type: varchar, description: "Configured name of the source"}
  kind: {type: varchar, description: "What reads it, as `github`"}
  stream: {type: varchar, description: "Kind of record"}
  records: {type: bigint, description: "Records that were read and are still there"}
  quarantined: {type: bigint, description: "Records that could not be understood"}
*/
with known as (
    select source, 'repository' as stream, count(*) as records from raw.repository group by source
    union all
    select source, 'commit' as stream, count(*) as records from raw.commit group by source
    union all
    select source, 'ref' as stream, count(*) as records from raw.ref group by source
    union all
    select source, 'pull_request' as stream, count(*) as records from raw.pull_request group by source
    union all
    select source, 'pipeline_run' as stream, count(*) as records from raw.pipeline_run group by source
    union all
    select source, 'job' as stream, count(*) as records from raw.job group by source
    union all
    select source, 'deployment' as stream, count(*) as records from raw.deployment group by source
    union all
    select source, 'release' as stream, count(*) as records from raw.release group by source
    union all
    select source, 'incident' as stream, count(*) as records from raw.incident group by source
    union all
    select source, 'change_event' as stream, count(*) as records from raw.change_event group by source
    union all
    select source, 'team' as stream, count(*) as records from raw.team group by source
    union all
    select source, 'membership' as stream, count(*) as records from raw.membership group by source
    union all
    select source, 'identity' as stream, count(*) as records from raw.identity group by source
    union all
    select source, 'service' as stream, count(*) as records from raw.service group by source
    union all
    select source, 'ownership' as stream, count(*) as records from raw.ownership group by source
    union all
    select source, 'capability_use' as stream, count(*) as records from raw.capability_use group by source
    union all
    select source, 'capability_state' as stream, count(*) as records from raw.capability_state group by source
),

counted as (
    select source, stream, records, 0 as quarantined from known
    union all
    select source, stream, 0, count(*) from raw.quarantine group by all
)

select s.source, s.kind, c.stream, sum(c.records)::bigint as records, sum(c.quarantined)::bigint as quarantined
from counted as c
inner join config.source as s using (source)
group by all
order by s.source, c.stream
