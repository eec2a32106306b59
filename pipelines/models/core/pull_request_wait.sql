/*
description: >-
  How long CI kept pull requests that are changes waiting: the time from being opened to the merge in which
  at least one run on one of their commits was queued or running. Runs at the same time count once.
grain: one row per change that is a pull request
key: [change_key]
day: merged_on
by: [change_key]
touched:
  core.merged_change: [change_key]
  core.pull_request_commit: [change_key]
  raw.pull_request: select change_key(source, repository, number) from changed
  core.run: select change_key from core.pull_request_commit semi join changed using (commit_key)
columns:
  change_key: {type: ubigint, description: "Change, as a number"}
  merged_at: {type: timestamp with time zone, description: "When it was merged (UTC)"}
  merged_on: {type: date, description: "Local day of the merge"}
  wait_seconds: {type: double, description: "Seconds in which a run was queued or running; null where left out", nullable: true}
  queue_seconds: {type: double, description: "Those of them in which none ran; null where no run's tool tells", nullable: true}
  rerun_seconds: {type: double, description: "Those of them in which no first attempt of a run was under way", nullable: true}
  left_out: {type: varchar, description: "Why it has no wait that counts", nullable: true, accepted: [bot, negative, no_run, running, undated]}
*/
with pull_request as (
    select
        m.change_key, p.opened_at, p.merged_at,
        case
            when p.is_bot and not w.include_bots then 'bot'
            when p.opened_at > p.merged_at then 'negative'
        end as unfit
    from core.merged_change as m
    -- refresh: semi join touched using (change_key)
    inner join raw.pull_request as p
        on p.source = m.source and p.repository = m.repository_id and p.number = m.number
    cross join config.workspace as w
),

commit as not materialized (
    select change_key, commit_key, role <> 'merge' as is_listed
    from core.pull_request_commit
    -- refresh: semi join (select change_key from pull_request where is_any(change_key)) using (change_key)
),

-- Few commits have runs: theirs alone are looked up.
run as materialized (
    select
        c.change_key, c.is_listed, r.attempt, r.result, r.queued_at, r.started_at, r.finished_at, r.queue_seconds
    from core.run as r
    -- refresh: semi join (select commit_key from commit group by commit_key having count(*) > 0) using (commit_key)
    inner join commit as c using (commit_key)
    where r.service is null and r.result <> 'skipped'
),

attempt as (
    select
        r.change_key, r.attempt = 1 as is_first,
        coalesce(r.queued_at, r.started_at) as first_known_at,
        case
            when r.result = 'running' then 'running'
            when first_known_at is null or r.finished_at is null then 'undated'
            when r.finished_at < first_known_at then 'negative'
        end as left_out,
        r.queue_seconds is not null or r.started_at > r.queued_at as is_queue_told,
        -- Between being opened and merged, in microseconds: whole numbers have the same sum in any order.
        epoch_us(greatest(first_known_at, p.opened_at)) as began,
        epoch_us(least(r.finished_at, p.merged_at)) as ended,
        epoch_us(
            coalesce(r.queued_at + to_microseconds((r.queue_seconds * 1e6)::bigint), r.started_at, first_known_at)
        ) as started,
        greatest(began, least(ended, started)) as ran
    from run as r
    inner join pull_request as p using (change_key)
    where p.unfit is null
        and coalesce(r.queued_at, r.started_at, '-infinity') < p.merged_at
        -- A queue of merges has tested what merges it by then; what is built after it may go by another clock.
        and (r.is_listed or r.finished_at <= p.merged_at)
),

-- Until when those before it lasted: each adds what is after that.
reached as (
    select
        *,
        max(ended) over by_begin as waited_until,
        max(ended) filter (is_first) over by_begin as first_waited_until,
        max(ended) over by_run as ran_until
    from attempt
    window
        by_begin as (partition by change_key order by began rows between unbounded preceding and 1 preceding),
        by_run as (partition by change_key order by ran rows between unbounded preceding and 1 preceding)
),

waited as (
    select
        change_key,
        min(left_out) as left_out,
        bool_or(is_queue_told) as is_queue_told,
        sum(greatest(0, ended - greatest(began, waited_until))) as waited,
        sum(greatest(0, ended - greatest(began, first_waited_until))) filter (is_first) as first_waited,
        sum(greatest(0, ended - greatest(ran, ran_until))) as ran
    from reached
    group by change_key
)

select
    change_key,
    p.merged_at,
    local_date(p.merged_at) as merged_on,
    case when t.left_out is null then t.waited / 1e6 end as wait_seconds,
    case when t.left_out is null and t.is_queue_told then (t.waited - t.ran) / 1e6 end as queue_seconds,
    case when t.left_out is null then (t.waited - coalesce(t.first_waited, 0)) / 1e6 end as rerun_seconds,
    coalesce(p.unfit, if(t.change_key is null, 'no_run', t.left_out)) as left_out
from pull_request as p
left join waited as t using (change_key)
