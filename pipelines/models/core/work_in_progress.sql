/*
description: >-
  Pull requests open at the end of each period, from the one in which the first was opened; in the period
  that holds the end of what was read of the repository, as of then.
grain: one row per chain, grain and period
key: [chain_id, grain, period_start]
day: period_start
by: [chain_id, grain, period_start]
touched:
  core.pull_request: >-
    select c.chain_id, p.grain, p.period_start
    from (
        select m.chain_id, local_date(min(c.opened_at)) as since
        from changed as c
        inner join core.pull_request_chain as m using (change_key)
        group by m.chain_id
    ) as c
    inner join (select distinct grain, period_start from core.period) as p
        on period_end(p.grain, p.period_start) > c.since
        and p.period_start <= (select local_date(max(covered_until)) from core.repository)
  core.pull_request_chain: >-
    select c.chain_id, p.grain, p.period_start
    from (
        select c.chain_id, min(coalesce(local_date(p.opened_at), '-infinity')) as since
        from changed as c
        left join core.pull_request as p using (change_key)
        group by c.chain_id
    ) as c
    inner join (select distinct grain, period_start from core.period) as p
        on period_end(p.grain, p.period_start) > c.since
        and p.period_start <= (select local_date(max(covered_until)) from core.repository)
  core.repository: >-
    select m.chain_id, p.grain, p.period_start
    from (
        select
            source, repository_id, local_date(max(covered_until)) as until,
            if(count(covered_until) > 1, local_date(min(covered_until)), '-infinity') as since
        from changed
        group by all
    ) as r
    inner join (
        select distinct c.chain_id, p.source, p.repository_id
        from core.pull_request_chain as c
        inner join core.pull_request as p using (change_key)
    ) as m using (source, repository_id)
    inner join (select distinct grain, period_start from core.period) as p
        on period_end(p.grain, p.period_start) > r.since and p.period_start <= r.until
  core.period: >-
    select w.chain_id, p.grain, p.period_start
    from (select distinct grain, period_start from changed) as p
    cross join (select distinct chain_id from core.work_in_progress) as w
columns:
  chain_id: {type: varchar, description: "Chain"}
  grain: {type: varchar, description: "Length of the period", accepted: [day, week, month, quarter, year]}
  period_start: {type: date, description: "First local day of the period"}
  as_of: {type: timestamp with time zone, description: "End of the period, or of what was read (UTC)"}
  pull_requests: {type: 'struct(age_seconds double, left_out varchar)[]', description: "Those open then: seconds since each was opened, and why it does not count"}
*/
with member as (
    select
        m.chain_id, r.covered_until, r.last_day, p.opened_at, p.ended_at,
        case when p.is_bot and not w.include_bots then 'bot' end as left_out
    from core.pull_request as p
    inner join core.pull_request_chain as m using (change_key)
    inner join (select *, local_date(covered_until) as last_day from core.repository) as r
        using (source, repository_id)
    cross join config.workspace as w
    where p.opened_at < r.covered_until
),

span as (
    select chain_id, covered_until, last_day, local_date(min(opened_at)) as first_day
    from member
    group by all
),

period as (
    select distinct grain, period_start, period_end(grain, period_start) - 1 as last_day from core.period
),

moment as (
    select
        s.chain_id, p.grain, p.period_start, least(p.last_day, s.last_day) as day,
        least(local_moment(p.last_day + 1), s.covered_until) as as_of
    from span as s
    inner join period as p on p.last_day >= s.first_day and p.period_start <= s.last_day
    -- refresh: semi join touched as t on t.chain_id = s.chain_id and t.grain = p.grain and t.period_start = p.period_start
),

open as (
    select
        chain_id, opened_at, ended_at, left_out,
        unnest(generate_series(
            local_date(opened_at)::timestamp, local_date(least(ended_at, covered_until))::timestamp, interval 1 day
        ))::date as day
    from member
    -- refresh: inner join (select chain_id, local_moment(min(day)) as since from moment group by chain_id) using (chain_id)
    -- refresh: where ended_at is null or ended_at >= since
)

select
    m.chain_id, m.grain, m.period_start, m.as_of,
    coalesce(
        list_sort(
            list({'age_seconds': epoch(m.as_of) - epoch(o.opened_at), 'left_out': o.left_out})
            filter (o.opened_at is not null and (o.ended_at is null or o.ended_at >= m.as_of))
        ),
        []
    ) as pull_requests
from moment as m
left join open as o using (chain_id, day)
group by all
