/*
description: >-
  Pull requests open at the end of each period, from the one in which the first was opened; in the period
  that holds the end of what was read of the repository, as of then.
grain: one row per chain, grain and period
key: [chain_id, grain, period_start]
day: period_start
columns:
  chain_id: {type: varchar, description: "Chain"}
  grain: {type: varchar, description: "Length of the period", accepted: [day, week, month, quarter, year]}
  period_start: {type: date, description: "First local day of the period"}
  as_of: {type: timestamp with time zone, description: "End of the period, or of what was read (UTC)"}
  pull_requests: {type: 'struct(age_seconds double, left_out varchar)[]', description: "Those open then: seconds since each was opened, and why it does not count"}
*/
with member as (
    select
        m.chain_id, r.covered_until, local_date(r.covered_until) as last_day, p.opened_at, p.ended_at,
        case when p.is_bot and not w.include_bots then 'bot' end as left_out
    from core.pull_request as p
    inner join core.pull_request_chain as m using (source, repository_id, number)
    inner join core.repository as r using (source, repository_id)
    cross join config.workspace as w
    where p.opened_at < r.covered_until
),

span as (
    select chain_id, covered_until, last_day, min(local_date(opened_at)) as first_day
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
),

open as (
    select
        chain_id, opened_at, ended_at, left_out,
        unnest(generate_series(
            local_date(opened_at)::timestamp, local_date(least(ended_at, covered_until))::timestamp, interval 1 day
        ))::date as day
    from member
)

select
    m.chain_id, m.grain, m.period_start, m.as_of,
    coalesce(
        list({'age_seconds': epoch(m.as_of) - epoch(o.opened_at), 'left_out': o.left_out} order by o.opened_at, o.left_out)
        filter (o.opened_at is not null and (o.ended_at is null or o.ended_at >= m.as_of)),
        []
    ) as pull_requests
from moment as m
left join open as o using (chain_id, day)
group by all
