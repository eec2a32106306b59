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
    select source, 'repository' as stream from raw.repository
    union all
    select source, 'commit' as stream from raw.commit
    union all
    select source, 'ref' as stream from raw.ref
    union all
    select source, 'pull_request' as stream from raw.pull_request
    union all
    select source, 'pipeline_run' as stream from raw.pipeline_run
    union all
    select source, 'job' as stream from raw.job
    union all
    select source, 'deployment' as stream from raw.deployment
    union all
    select source, 'release' as stream from raw.release
    union all
    select source, 'incident' as stream from raw.incident
    union all
    select source, 'change_event' as stream from raw.change_event
    union all
    select source, 'team' as stream from raw.team
    union all
    select source, 'membership' as stream from raw.membership
    union all
    select source, 'identity' as stream from raw.identity
    union all
    select source, 'service' as stream from raw.service
    union all
    select source, 'ownership' as stream from raw.ownership
    union all
    select source, 'capability_use' as stream from raw.capability_use
    union all
    select source, 'capability_state' as stream from raw.capability_state
),

counted as (
    select source, stream, count(*) as records, 0 as quarantined from known group by all
    union all
    select source, stream, 0, count(*) from raw.quarantine group by all
)

select s.source, s.kind, c.stream, sum(c.records)::bigint as records, sum(c.quarantined)::bigint as quarantined
from counted as c
inner join config.source as s using (source)
group by all
order by s.source, c.stream
