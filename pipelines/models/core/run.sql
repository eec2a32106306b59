/*
description: >-
  Attempts of CI runs in the repositories of the workspace, how long each took and waited. It counts in
  the chain of its repository, and in those of services that share it where its commit concerns them.
grain: one row per attempt and chain
key: [recorded_by, run_id, attempt, chain_id]
day: counted_on
by: [run_id, recorded_by, attempt]
touched:
  raw.pipeline_run: [id, source, attempt]
  raw.job: [run, source, attempt]
  core.commit_chain: select run_id, recorded_by, attempt from core.run semi join changed using (commit_key)
columns:
  recorded_by: {type: varchar, description: "Configured name of the source that recorded it"}
  run_id: {type: varchar, description: "Id within that source"}
  attempt: {type: bigint, description: "From 1"}
  chain_id: {type: varchar, description: "Chain"}
  source: {type: varchar, description: "Configured name of the repository's source"}
  repository_id: {type: varchar, description: "Id within the source"}
  service: {type: varchar, description: "Service whose own chain that is; null for the whole repository", nullable: true}
  workflow: {type: varchar, description: "What was run"}
  commit_key: {type: ubigint, description: "Commit it ran on, as a number", nullable: true}
  result: {type: varchar, description: "How it ended", accepted: [success, failed, cancelled, skipped, running, unknown]}
  queued_at: {type: timestamp with time zone, description: "When it was queued (UTC)", nullable: true}
  started_at: {type: timestamp with time zone, description: "When it started (UTC)", nullable: true}
  finished_at: {type: timestamp with time zone, description: "When it ended (UTC)", nullable: true}
  counted_at: {type: timestamp with time zone, description: "When it ended, else started, else was queued (UTC)"}
  counted_on: {type: date, description: "Local day of that"}
  duration_seconds: {type: double, description: "Seconds from start to end; null where left out", nullable: true}
  duration_left_out: {type: varchar, description: "Why it has no duration that counts", nullable: true, accepted: [cancelled, skipped, running, unknown, undated, negative]}
  queue_seconds: {type: double, description: "Seconds from being queued to the start of its first job; null where left out", nullable: true}
  queue_left_out: {type: varchar, description: "Why it has no wait that counts", nullable: true, accepted: [cancelled, skipped, running, unknown, undated, not_told, negative]}
*/
with attempt as not materialized (
    select
        rowid as row_id, source, id, attempt, repository, workflow, sha, result, queued_at, started_at, finished_at,
        if(repository is null, repository_address(repository_url), null) as address
    from raw.pipeline_run
    -- refresh: semi join touched as t on t.run_id = id
),

-- Those of an earlier attempt, which a new one takes over, began before it was queued.
job as (
    select r.row_id, min(j.started_at) as started_at
    from attempt as r
    inner join (
        from raw.job
        -- refresh: semi join touched as t on t.run_id = run
    ) as j on j.source = r.source and j.run = r.id and j.attempt = r.attempt
    where j.queued_at is not null and j.started_at >= r.queued_at and j.result in ('success', 'failed')
    group by r.row_id
),

timed as (
    select
        r.source as recorded_by, r.id as run_id, r.attempt, r.workflow, r.result,
        r.queued_at, r.started_at, r.finished_at,
        coalesce(r.finished_at, r.started_at, r.queued_at) as counted_at,
        coalesce(i.source, a.source) as source,
        coalesce(i.repository_id, a.repository_id) as repository_id,
        if(
            r.sha is null, null,
            commit_key(coalesce(i.source, a.source), coalesce(i.repository_id, a.repository_id), r.sha)
        ) as commit_key,
        coalesce(j.started_at, r.started_at) as first_started_at,
        case when r.result not in ('success', 'failed') then r.result end as unfit,
        coalesce(
            unfit,
            case
                when r.started_at is null or r.finished_at is null then 'undated'
                when r.finished_at < r.started_at then 'negative'
            end
        ) as duration_left_out,
        coalesce(
            unfit,
            case
                when r.queued_at is null or first_started_at is null then 'undated'
                -- As GitHub, whose runs start when they are queued: its jobs alone tell of waiting.
                when j.started_at is null and r.started_at = r.queued_at then 'not_told'
                when first_started_at < r.queued_at then 'negative'
            end
        ) as queue_left_out,
        case when duration_left_out is null then epoch(r.finished_at) - epoch(r.started_at) end as duration_seconds,
        case when queue_left_out is null then epoch(first_started_at) - epoch(r.queued_at) end as queue_seconds
    from attempt as r
    left join core.repository as i on i.source = r.source and i.repository_id = r.repository
    left join core.repository_address as a using (address)
    left join job as j using (row_id)
),

-- A service without paths has part in everything.
chain as (
    select c.chain_id, c.source, c.repository_id, c.service, coalesce(len(m.paths), 0) = 0 as takes_all
    from core.chain as c
    left join core.service_repository as m using (service, source, repository_id)
)

select
    t.recorded_by, t.run_id, t.attempt, c.chain_id, t.source, t.repository_id, c.service, t.workflow, t.commit_key,
    t.result, t.queued_at, t.started_at, t.finished_at, t.counted_at, local_date(t.counted_at) as counted_on,
    t.duration_seconds, t.duration_left_out, t.queue_seconds, t.queue_left_out
from timed as t
inner join chain as c using (source, repository_id)
left join core.commit_chain as p on p.commit_key = t.commit_key and p.chain_id = c.chain_id
where t.counted_at is not null and (c.takes_all or p.commit_key is not null)
