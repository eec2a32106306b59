/*
description: Days of a week with a deployment to production.
metric:
  title: Deployment days
  unit: per_week
  definition: >-
    Local days with at least one deployment to production, median over the weeks that begin in the period,
    weeks without any between first and last activity included; of a day, 7 or 0. A census, so it has no
    interval. Above a service, the median over services.
  better: higher
  estimate: given
  by_week: true
*/
with began as (
    select min(day) as day from core.period
),

deployed as (
    select distinct s.subject_id, d.finished_on as day
    from core.chain_deployment as d
    inner join core.subject as s
        on s.chain_id = d.chain_id and during(d.finished_at, s.valid_from, s.valid_until)
    where d.finished_on >= (from began)
),

week as (
    select s.subject_id, s.period_start, count(d.day) as days
    from core.subject_period as s
    left join deployed as d
        on d.subject_id = s.subject_id and period_start('week', d.day) = s.period_start
    where s.grain = 'week' and s.is_deployed and s.period_start >= (from began)
    group by all
),

figure as (
    select w.subject_id, p.period_id, quantile_cont(w.days, 0.5) as value, count(*) as n
    from week as w
    inner join core.period as p on p.day = w.period_start and p.grain <> 'day'
    group by all
    union all
    select s.subject_id, s.period_id, if(d.day is null, 0, 7), 1
    from core.subject_period as s
    left join deployed as d on d.subject_id = s.subject_id and d.day = s.period_start
    semi join (from core.period where grain = 'day') as p on p.period_id = s.period_id
    where s.grain = 'day' and s.is_deployed
)

select *, null::double as low, null::double as high, null::map(varchar, bigint) as excluded from figure
