/*
description: >-
  What was seen of each capability: events, and states from when they were first seen to when a snapshot no longer
  had them. Of a state in the first snapshot of its scope the beginning is unknown, unless what it is in is younger
  than the source's first snapshot.
grain: one row per thing seen, or event, and rule that means it
key: [observation_id, rule_id]
needs: config.service_scope
columns:
  observation_id: {type: varchar, description: "Source and what it saw"}
  capability: {type: varchar, description: "Capability, or `check:` and a check's name"}
  rule_id: {type: varchar, description: "Evidence rule"}
  source: {type: varchar, description: "Configured name of the source"}
  scope: {type: varchar, description: "Part of the source that it was seen in"}
  subject_kind: {type: varchar, description: "What uses it", accepted: [service, team, person, repository]}
  subject: {type: varchar, description: "Id within the source; of a person a keyed hash"}
  kind: {type: varchar, description: "An event, or a state", accepted: [used, present]}
  observed_at: {type: timestamp with time zone, description: "Of an event its time, of a state when it was first seen (UTC)"}
  ended_at: {type: timestamp with time zone, description: "When a state was seen to be no longer there (UTC); null while it lasts", nullable: true}
  confirmed_until: {type: timestamp with time zone, description: "Last snapshot that could have shown otherwise (UTC); null for events and what is pushed", nullable: true}
  is_start_unknown: {type: boolean, description: "A state that may have been there long before"}
  result: {type: varchar, description: "How an event ended", nullable: true}
  finished_at: {type: timestamp with time zone, description: "When an event ended (UTC)", nullable: true}
  version: {type: varchar, description: "Version used", nullable: true}
  place: {type: varchar, description: "File or workload", nullable: true}
  folders: {type: 'varchar[]', description: "Folders of the repository that it is about; none where that is not said", nullable: true}
  url: {type: varchar, description: "Where a person can see it", nullable: true}
*/
with event as (
    select
        u.source || ':' || u.id as observation_id, u.capability as thing, u.source, u.scope, u.subject_kind, u.subject,
        u.happened_at as observed_at, u.result, u.finished_at, u.version, u.place, u.url
    from raw.capability_use as u
    inner join config.source using (source)
    where u.kind = 'used'
    union all
    select
        j.source || ':job:' || j.id, 'step:' || j.name, j.source, j.scope, 'repository',
        coalesce(r.repository, repository_address(r.repository_url)),
        coalesce(j.started_at, j.queued_at), j.result, j.finished_at, null, r.workflow, j.url
    from raw.job as j
    inner join raw.pipeline_run as r on r.source = j.source and r.id = j.run and r.attempt = j.attempt
    inner join config.source as s on s.source = j.source
    where coalesce(j.started_at, j.queued_at) is not null
        and coalesce(r.repository, r.repository_url) is not null
),

-- Told one by one, and not by snapshots: each holds until the next one says otherwise.
told as (
    select
        u.*, min(u.happened_at) over (partition by u.source) as first_told_at,
        row(u.kind, u.version) is distinct from lag(row(u.kind, u.version)) over w as begins
    from raw.capability_use as u
    inner join config.source using (source)
    where u.kind <> 'used'
    window w as (partition by u.source, u.subject_kind, u.subject, u.capability order by u.happened_at, u.id)
),

told_state as (
    select
        source || ':' || id as observation_id, capability as thing, source, scope, subject_kind, subject, kind,
        happened_at as observed_at,
        lead(happened_at) over (partition by source, subject_kind, subject, capability order by happened_at, id) as ended_at,
        local_date(happened_at) = local_date(first_told_at) as is_start_unknown,
        version, place, url
    from told
    where begins
),

snapshot as (
    select source, scope, max(taken_at) as taken_at from raw.snapshot group by all
),

begun as (
    select source, repository, min(committed_at) as first_commit_at
    from raw.commit
    semi join (select distinct source, scope as repository from history.capability_state where is_start_unknown)
        using (source, repository)
    group by all
),

first_snapshot as (
    select source, min(taken_at) as taken_at from raw.snapshot group by source
),

state as (
    select
        concat_ws(':', h.source, h.subject_kind, h.subject, h.capability, h.place, h.version, epoch_us(h.seen_from)::varchar)
            as observation_id,
        h.capability as thing, h.source, h.scope, h.subject_kind, h.subject, h.seen_from as observed_at,
        h.seen_until as ended_at,
        least(n.taken_at, h.seen_until) as confirmed_until,
        h.is_start_unknown and not coalesce(b.first_commit_at > f.taken_at, false) as is_start_unknown,
        h.version, h.place, h.folders, h.url
    from history.capability_state as h
    inner join config.source using (source)
    left join snapshot as n using (source, scope)
    left join first_snapshot as f using (source)
    left join begun as b on b.source = h.source and b.repository = h.scope
),

seen as (
    select
        observation_id, thing, source, scope, subject_kind, subject, 'used' as kind, observed_at,
        null::timestamptz as ended_at, null::timestamptz as confirmed_until, false as is_start_unknown,
        result, finished_at, version, place, null::varchar[] as folders, url
    from event
    union all
    select
        observation_id, thing, source, scope, subject_kind, subject, kind, observed_at, ended_at, null,
        is_start_unknown, null, null, version, place, null, url
    from told_state
    where kind = 'present'
    union all
    select
        observation_id, thing, source, scope, subject_kind, subject, 'present', observed_at, ended_at,
        confirmed_until, is_start_unknown, null, null, version, place, folders, url
    from state
)

select
    s.observation_id, m.capability, m.rule_id, s.source, s.scope, s.subject_kind, s.subject, s.kind, s.observed_at,
    s.ended_at, s.confirmed_until, s.is_start_unknown, s.result, s.finished_at, s.version, s.place, s.folders, s.url
from seen as s
inner join core.rule_match as m using (thing)
