-- Values of each subject and period in order, of which quantiles are taken.
select
    subject_id, period_id,
    list_sort(list(value) filter (left_out is null and value is not null)) as ascending,
    excluded(left_out) as excluded
from observation
group by all
