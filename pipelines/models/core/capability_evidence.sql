/*
description: >-
  Who uses each capability: what was seen of it, with the service or team it is of. Of a repository that several
  services share, what cannot be told to be one's is nobody's, and counted among the unmatched.
grain: one row per thing seen, or event, rule and service
key: [evidence_id]
columns:
  evidence_id: {type: varchar, description: "What was seen, rule and service"}
  capability: {type: varchar, description: "Capability, or `check:` and a check's name"}
  rule_id: {type: varchar, description: "Evidence rule"}
  source: {type: varchar, description: "Configured name of the source"}
  scope: {type: varchar, description: "Part of the source that it was seen in"}
  subject_kind: {type: varchar, description: "What uses it", accepted: [service, team, person, repository]}
  subject: {type: varchar, description: "Id within the source; of a person a keyed hash"}
  repository: {type: varchar, description: "Name of the repository it was seen in", nullable: true}
  service: {type: varchar, description: "Service it is of; null where that is not known", nullable: true}
  team: {type: varchar, description: "Team that is the subject itself; null for all others", nullable: true}
  kind: {type: varchar, description: "An event, or a state", accepted: [used, present]}
  observed_at: {type: timestamp with time zone, description: "Of an event its time, of a state when it was first seen (UTC)"}
  observed_on: {type: date, description: "Local day of that"}
  ended_at: {type: timestamp with time zone, description: "When a state was seen to be no longer there (UTC); null while it lasts", nullable: true}
  ended_on: {type: date, description: "Local day of that", nullable: true}
  confirmed_until: {type: timestamp with time zone, description: "Last snapshot that could have shown otherwise (UTC); null for events and what is pushed", nullable: true}
  is_start_unknown: {type: boolean, description: "A state that may have been there long before"}
  result: {type: varchar, description: "How an event ended", nullable: true}
  finished_at: {type: timestamp with time zone, description: "When an event ended (UTC)", nullable: true}
  version: {type: varchar, description: "Version used", nullable: true}
  version_ordinal: {type: bigint, description: "Which of `capability_version` that is; null where it is none of them", nullable: true}
  place: {type: varchar, description: "File or workload", nullable: true}
  url: {type: varchar, description: "Where a person can see it", nullable: true}
*/
-- Whose a thing is hangs on where it was seen alone: of a workflow that ran a million times it is asked once.
with seen as (
    select *, concat_ws('|', source, subject_kind, subject, place, folders::varchar) as seen_in
    from core.capability_observation
),

place as (
    select distinct seen_in, source, subject_kind, subject, place, folders from seen
),

-- A run says which workflow file it is of; the files say which folders they are about.
file as (
    select source, subject, place, arg_max(folders, seen_from) as folders
    from history.capability_state
    where subject_kind = 'repository' and len(folders) > 0
    group by all
),

located as (
    select
        p.*, coalesce(i.source, a.source) as at_source, coalesce(i.repository_id, a.repository_id) as repository_id,
        coalesce(nullif(p.folders, []), f.folders, []) as about
    from place as p
    left join core.repository as i on i.source = p.source and i.repository_id = p.subject
    left join core.repository_address as a on i.source is null and a.address = repository_address(p.subject)
    left join file as f on f.source = p.source and f.subject = p.subject and f.place = p.place
    where p.subject_kind = 'repository'
),

candidate as (
    select
        l.seen_in, m.service, len(m.paths) = 0 as has_all,
        case
            when len(l.about) > 0 then len(list_filter(m.paths, lambda path : len(list_filter(
                l.about,
                lambda folder : folder = path or starts_with(folder, path || '/') or starts_with(path, folder || '/')
            )) > 0)) > 0
            else len(list_filter(m.paths, lambda path : starts_with(l.place, path || '/'))) > 0
        end as is_named
    from located as l
    inner join core.service_repository as m on m.source = l.at_source and m.repository_id = l.repository_id
),

-- Those whose folders it is in; else the one service that has no folders of its own.
of_repository as (
    select seen_in, service
    from candidate
    window w as (partition by seen_in)
    qualify is_named or (has_all and count_if(has_all) over w = 1 and not bool_or(is_named) over w)
),

of_service as (
    select p.seen_in, a.service
    from place as p
    inner join config.source as c using (source)
    inner join core.service_alias as a on a.alias = p.subject and (a.kind is null or a.kind in (c.kind, c.source))
    where p.subject_kind = 'service'
    qualify row_number() over (partition by p.seen_in order by a.kind nulls first, a.service) = 1
),

of_team as (
    select p.seen_in, min(t.team) as team
    from place as p
    inner join core.team as t on p.subject in (t.team, t.id)
    where p.subject_kind = 'team'
    group by p.seen_in
),

owner as (
    select seen_in, service from of_repository
    union all
    select seen_in, service from of_service
),

bare as (
    select
        *, regexp_replace(lower(version), '^[~^<>=! ]*v?', '') as used
    from (select distinct capability, version from core.capability_observation where version is not null)
),

-- `v4` may stand for any 4.x.y, and 4.2.1 is of the line 4.
ordinal as (
    select b.capability, b.version, max(v.ordinal) as version_ordinal
    from bare as b
    inner join (
        select *, regexp_replace(lower(version), '^v', '') as known from core.capability_version
    ) as v
        on v.capability = b.capability
        and (b.used = v.known or starts_with(b.used, v.known || '.') or starts_with(v.known, b.used || '.'))
    group by b.capability, b.version
)

select
    concat_ws('|', s.observation_id, s.rule_id, o.service) as evidence_id,
    s.capability, s.rule_id, s.source, s.scope, s.subject_kind, s.subject, r.repository, o.service,
    t.team, s.kind, s.observed_at, local_date(s.observed_at) as observed_on, s.ended_at,
    local_date(s.ended_at) as ended_on, s.confirmed_until, s.is_start_unknown, s.result, s.finished_at, s.version,
    v.version_ordinal, s.place, s.url
from seen as s
left join owner as o using (seen_in)
left join located as l using (seen_in)
left join core.repository as r on r.source = l.at_source and r.repository_id = l.repository_id
left join of_team as t using (seen_in)
left join ordinal as v on v.capability = s.capability and v.version = s.version
