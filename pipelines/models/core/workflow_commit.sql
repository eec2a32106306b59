/*
description: >-
  Commits that a workflow ran on, and whether one of its jobs failed and then passed with nothing changed.
  A run of no known commit stands alone.
grain: one row per chain, source, workflow and commit
key: [chain_id, recorded_by, workflow, thing]
day: counted_on
by: [thing, chain_id, recorded_by, workflow]
touched:
  core.run: >-
    select coalesce(commit_key, hash(run_id, attempt)), chain_id, recorded_by, workflow from changed
  raw.job: >-
    select coalesce(r.commit_key, hash(r.run_id, r.attempt)), r.chain_id, r.recorded_by, r.workflow
    from changed as j
    inner join (
        from core.run semi join changed as c on c.run = run_id
    ) as r on r.recorded_by = j.source and r.run_id = j.run
columns:
  chain_id: {type: varchar, description: "Chain"}
  recorded_by: {type: varchar, description: "Configured name of the source that recorded the runs"}
  workflow: {type: varchar, description: "What was run"}
  thing: {type: ubigint, description: "Commit, as a number; of a run of no known commit that of its id and attempt"}
  is_flaky: {type: boolean, description: "Failed, then passed"}
  left_out: {type: varchar, description: "Why it does not count", nullable: true, accepted: [no_commit, unfinished, not_retried]}
  counted_at: {type: timestamp with time zone, description: "When its first run ended (UTC)"}
  counted_on: {type: date, description: "Local day of that"}
*/
with run as (
    select *, result in ('success', 'failed') and finished_at is not null as is_finished
    from (
        select chain_id, recorded_by, run_id, workflow, commit_key, commit_key as thing, result, finished_at, counted_at,
            counted_on
        from core.run
        -- refresh: semi join touched as t on t.thing = commit_key
        where commit_key is not null
        union all
        select
            chain_id, recorded_by, run_id, workflow, null, hash(run_id, attempt), result, finished_at, counted_at,
            counted_on
        from core.run
        where commit_key is null
    )
),

ran as (
    select
        chain_id,
        recorded_by,
        workflow,
        thing,
        any_value(commit_key) as commit_key,
        count(*) filter (is_finished) as finished,
        min(finished_at) filter (is_finished and result = 'failed') as failed_at,
        max(finished_at) filter (is_finished and result = 'success') as passed_at,
        coalesce(min(counted_at) filter (is_finished), min(counted_at)) as counted_at,
        coalesce(min(counted_on) filter (is_finished), min(counted_on)) as counted_on
    from run
    group by all
),

job as not materialized (
    select source, run, name, finished_at, result
    from raw.job as j
    -- refresh: semi join (select run_id from run group by run_id having count(*) > 0) as run on run.run_id = j.run
    where finished_at is not null
),

failed as (
    select r.chain_id, r.recorded_by, r.workflow, r.thing, j.name, min(j.finished_at) as failed_at
    from run as r
    inner join job as j on j.source = r.recorded_by and j.run = r.run_id
    where r.commit_key is not null and j.result = 'failed'
    group by all
),

-- A tool may try a job again within its run, which then passes: the job alone tells.
mended as (
    select distinct f.chain_id, f.recorded_by, f.workflow, f.thing
    from failed as f
    inner join run as r using (chain_id, recorded_by, workflow, thing)
    inner join job as j on j.source = r.recorded_by and j.run = r.run_id and j.name = f.name
    where j.result = 'success' and j.finished_at > f.failed_at
),

judged as (
    select r.*, r.commit_key is not null and (r.failed_at < r.passed_at or m.thing is not null) is true as is_flaky
    from ran as r
    left join mended as m using (chain_id, recorded_by, workflow, thing)
)

select
    chain_id,
    recorded_by,
    workflow,
    thing,
    is_flaky,
    case
        when commit_key is null then 'no_commit'
        when finished = 0 then 'unfinished'
        when finished = 1 and passed_at is null and not is_flaky then 'not_retried'
    end as left_out,
    counted_at,
    counted_on
from judged
