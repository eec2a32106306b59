/*
description: >-
  Pull requests, and how long each stage of those that are changes took, by the clock and in working
  days. A review before the pull request was ready counts from when it was.
grain: one row per pull request
key: [change_key]
day: merged_on
by: [change_key]
touched:
  raw.pull_request: select change_key(source, repository, number) from changed
  core.change: [change_key]
  core.change_calendar: [change_key]
  calendar.day: >-
    select change_key(source, repository, number)
    from raw.pull_request
    where greatest(opened_at, ready_at, first_review_at, merged_at) >= (select min(starts_at) from changed)
columns:
  source: {type: varchar, description: "Configured name of the source"}
  repository_id: {type: varchar, description: "Id within the source"}
  number: {type: bigint, description: "Number within the repository"}
  change_key: {type: ubigint, description: "The change that it is or may become, as a number"}
  is_change: {type: boolean, description: "It is one; false also before its merge"}
  is_bot: {type: boolean, description: "Made by a bot"}
  opened_at: {type: timestamp with time zone, description: "When it was opened (UTC)"}
  merged_at: {type: timestamp with time zone, description: "When it was merged (UTC)", nullable: true}
  ended_at: {type: timestamp with time zone, description: "When it was closed, by a merge or without one (UTC)", nullable: true}
  merged_on: {type: date, description: "Local day of the merge", nullable: true}
  calendar: {type: varchar, description: "Whose working days; null where it is no change", nullable: true}
  coding_seconds: {type: double, description: "Seconds from the first commit to being ready for review", nullable: true}
  coding_working_seconds: {type: double, description: "Those of them on working days", nullable: true}
  coding_left_out: {type: varchar, description: "Why a change has no coding that counts", nullable: true, accepted: [bot, undated, commit_after_ready]}
  pickup_seconds: {type: double, description: "Seconds from being ready to the first review by a human other than the author", nullable: true}
  pickup_working_seconds: {type: double, description: "Those of them on working days", nullable: true}
  review_seconds: {type: double, description: "Seconds from that review to the merge", nullable: true}
  review_working_seconds: {type: double, description: "Those of them on working days", nullable: true}
  review_left_out: {type: varchar, description: "Why a change has neither pickup nor review that count", nullable: true, accepted: [bot, unreviewed, negative]}
  url: {type: varchar, description: "Where a person can see it"}
*/
with found as not materialized (
    select
        change_key(source, repository, number) as change_key, source, repository, number, is_bot, opened_at, ready_at,
        first_review_at, merged_at, closed_at, url
    from raw.pull_request as p
    -- refresh: semi join touched as t on t.change_key = change_key(p.source, p.repository, p.number)
),

staged as (
    select
        p.source,
        p.repository as repository_id,
        p.number,
        p.change_key,
        c.change_key is not null as is_change,
        p.is_bot,
        p.opened_at,
        p.merged_at,
        coalesce(p.closed_at, p.merged_at) as ended_at,
        k.calendar,
        c.first_authored_at as begun_at,
        coalesce(p.ready_at, p.opened_at) as ready_at,
        greatest(p.first_review_at, coalesce(p.ready_at, p.opened_at)) as reviewed_at,
        case
            when c.change_key is null then null
            when p.is_bot and not w.include_bots then 'bot'
            when c.first_authored_at is null then 'undated'
            when c.first_authored_at > coalesce(p.ready_at, p.opened_at) then 'commit_after_ready'
        end as coding_left_out,
        case
            when c.change_key is null then null
            when p.is_bot and not w.include_bots then 'bot'
            when p.first_review_at is null or p.first_review_at > p.merged_at then 'unreviewed'
            when coalesce(p.ready_at, p.opened_at) > p.merged_at then 'negative'
        end as review_left_out,
        is_change and coding_left_out is null as has_coding,
        is_change and review_left_out is null as has_review,
        p.url
    from found as p
    inner join core.repository as r on r.source = p.source and r.repository_id = p.repository
    cross join config.workspace as w
    left join core.change as c using (change_key)
    left join core.change_calendar as k using (change_key)
)

select
    p.source,
    p.repository_id,
    p.number,
    p.change_key,
    p.is_change,
    p.is_bot,
    p.opened_at,
    p.merged_at,
    p.ended_at,
    local_date(p.merged_at) as merged_on,
    p.calendar,
    case when p.has_coding then epoch(p.ready_at) - epoch(p.begun_at) end as coding_seconds,
    case when p.has_coding then worked_until(ready, p.ready_at) - worked_until(begun, p.begun_at) end
        as coding_working_seconds,
    p.coding_left_out,
    case when p.has_review then epoch(p.reviewed_at) - epoch(p.ready_at) end as pickup_seconds,
    case when p.has_review then worked_until(reviewed, p.reviewed_at) - worked_until(ready, p.ready_at) end
        as pickup_working_seconds,
    case when p.has_review then epoch(p.merged_at) - epoch(p.reviewed_at) end as review_seconds,
    case when p.has_review then worked_until(merged, p.merged_at) - worked_until(reviewed, p.reviewed_at) end
        as review_working_seconds,
    p.review_left_out,
    p.url
from staged as p
left join calendar.day as begun
    on begun.calendar = p.calendar and begun.utc_day = utc_day(p.begun_at)
    and p.begun_at >= begun.starts_at and p.begun_at < begun.ends_at
left join calendar.day as ready
    on ready.calendar = p.calendar and ready.utc_day = utc_day(p.ready_at)
    and p.ready_at >= ready.starts_at and p.ready_at < ready.ends_at
left join calendar.day as reviewed
    on reviewed.calendar = p.calendar and reviewed.utc_day = utc_day(p.reviewed_at)
    and p.reviewed_at >= reviewed.starts_at and p.reviewed_at < reviewed.ends_at
left join calendar.day as merged
    on merged.calendar = p.calendar and merged.utc_day = utc_day(p.merged_at)
    and p.merged_at >= merged.starts_at and p.merged_at < merged.ends_at
