-- The version of a rollout is the item that had landed for certain a step before; one in fifty goes back to the
-- version two rollouts earlier, at most an hour after the rollout it undoes.
create or replace temp table rollout as
with numbered as (
    select
        s.*, r.step as item_step, r.name as repository_name,
        unnest(range(
            greatest(0, epoch(getvariable('since') - getvariable('began')) // s.step - 2)::bigint,
            (epoch(getvariable('until') - getvariable('began')) // s.step + 2)::bigint
        )) as d
    from bench.service as s
    inner join bench.repository as r on r.id = s.repository
),

dated as (
    select
        *, d > 3 and pick('back', id, d, 50) = 0 as is_back,
        case
            when is_back then
                after_steps(d - 1 + chance('rollout', id, d - 1), step) + to_seconds(least(3600, step * 0.4))
            else after_steps(d + chance('rollout', id, d), step)
        end as finished_at,
        d - if(is_back, 2, 0) as version,
        after_steps(version + chance('rollout', id, version), step) as version_at
    from numbered
)

select *, sha(repository, item_before(version_at, item_step), 0) as sha from dated
