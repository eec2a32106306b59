-- Every 33rd rollout is followed by an incident; a third of those name the commit.
insert into raw.incident by name
with opened as (
    select *, finished_at + wait('trouble', id, d, 14000) as opened_at
    from rollout
    where pick('incident', id, d, 33) = 0
)

select
    'push' as source, 'all' as scope, concat_ws('-', id, d) as id, name as service, 'high' as severity,
    if(known(resolved_at) is null, 'open', 'resolved') as status, opened_at,
    known(opened_at + interval 4 minute) as acknowledged_at, known(resolved_at) as resolved_at,
    if(pick('named', id, d, 3) = 0, sha, null) as sha
from (select *, opened_at + wait('repair', id, d, 9000) as resolved_at from opened)
where happened(opened_at)
