/*
description: How much of the platform others make.
metric:
  area: adoption
  title: Outside contribution
  unit: ratio
  definition: >-
    Pull requests to the platform's repositories merged in the period whose authors are in none of the teams that own
    these / those whose authors are in any known team, bots left out and counted.
  better: higher
  estimate: rate
*/
with platform as (
    select distinct r.source, r.repository_id
    from core.repository as r
    inner join config.platform_repository as p on lower(r.repository) glob p.pattern or repository_address(r.url) glob '*/' || p.pattern
),

own as (
    select distinct t.team
    from platform as p
    inner join core.service_repository as m using (source, repository_id)
    inner join core.tenure as t using (service)
    where t.valid_until = 'infinity'
    union
    select owner from config.capability where owner is not null
),

person as (
    select alias, person from raw.identity
    union
    select person, alias from raw.identity
),

-- Teams of the author at the merge, by whichever of their accounts a team knows them.
known as (
    select p.source, p.repository, p.number, t.team
    from raw.pull_request as p
    semi join platform as m on m.source = p.source and m.repository_id = p.repository
    left join person as a on a.alias = p.author
    inner join history.membership as h
        on h.person in (p.author, a.person) and p.merged_at >= coalesce(h.valid_from, '-infinity')
        and p.merged_at < coalesce(h.valid_to, h.seen_until, 'infinity')
    inner join core.team as t on t.source = h.source and t.id = h.team
    where p.merged_at is not null
),

judged as (
    select source, repository, number, bool_and(team not in (from own)) as is_outside
    from known
    group by all
)

select
    'platform' as offer, null as service, null as team, local_date(p.merged_at) as day,
    case when p.is_bot then 'bot' when j.is_outside is null then 'no_team' end as left_out,
    coalesce(j.is_outside, false) as hit
from raw.pull_request as p
semi join platform as m on m.source = p.source and m.repository_id = p.repository
left join judged as j using (source, repository, number)
where p.merged_at is not null
