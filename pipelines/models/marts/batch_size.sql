/*
description: How many changes a deployment brings.
metric:
  title: Batch size
  unit: count
  definition: >-
    Median, over the deployments of the period, of the number of people's changes that each shipped first.
    The first known deployment, and deployments that shipped none, as rollbacks, are left out and counted.
    Above a service, the median over services.
  better: lower
  estimate: median
*/
with brought as (
    select chain_id, sequence, count(*) as changes
    from core.shipment
    where left_out is null or left_out in ('undated', 'negative')
    group by all
),

-- A rollout of several of a service's repositories is one batch.
deployed as (
    select
        s.subject_id, min(d.finished_on) as finished_on,
        coalesce(sum(b.changes), 0) as changes, bool_and(d.is_baseline) as is_baseline
    from core.chain_deployment as d
    inner join core.chain_subject as s
        on s.chain_id = d.chain_id and during(d.finished_at, s.valid_from, s.valid_until)
    left join brought as b on b.chain_id = d.chain_id and b.sequence = d.sequence
    group by s.subject_id, d.deployment_id
)

select
    d.subject_id, p.period_id, d.changes::double as value,
    case when d.is_baseline then 'baseline' when d.changes = 0 then 'empty' end as left_out
from deployed as d
inner join core.period as p on p.day = d.finished_on
