/*
description: >-
  Pull requests that are changes or may become some, to drill down to: how long each stage took, by the
  clock and in working days.
grain: one row per service and pull request; what is of no service has a row without one
key: [change_key, service]
by: [change_key]
touched:
  core.pull_request: [change_key]
  core.pull_request_chain: [change_key]
  core.pull_request_release: [change_key]
  core.pull_request_wait: [change_key]
columns:
  change_key: {type: ubigint, description: "The change that it is or may become, as a number"}
  source: {type: varchar, description: "Configured name of the source"}
  repository: {type: varchar, description: "Name of the repository"}
  number: {type: bigint, description: "Number within the repository"}
  service: {type: varchar, description: "Service that it is part of; null where it is of none", nullable: true}
  subject_key: {type: ubigint, description: "The service as a number, by which the rows are stored: `subject_key('service', service)`", nullable: true}
  shared_rank: {type: bigint, description: "From 1 by the services' names, where its repository is of several: there may be a row for each", nullable: true}
  repeats_for: {type: 'varchar[]', description: "Teams of which another service, before it by name, has a row for the same pull request: it counts for them there", nullable: true}
  team: {type: varchar, description: "Team that owned the service when it was merged, or opened while it is open; the first by name", nullable: true}
  is_bot: {type: boolean, description: "Made by a bot"}
  opened_at: {type: timestamp with time zone, description: "When it was opened (UTC)"}
  merged_at: {type: timestamp with time zone, description: "When it was merged (UTC); null while it is open", nullable: true}
  merged_on: {type: date, description: "Local day of the merge", nullable: true}
  deployed_at: {type: timestamp with time zone, description: "When the deployment that shipped it finished (UTC)", nullable: true}
  deployed_on: {type: date, description: "Local day on which it finished", nullable: true}
  coding_seconds: {type: double, description: "Seconds from the first commit to being ready for review", nullable: true}
  coding_working_seconds: {type: double, description: "Those of them on working days", nullable: true}
  coding_left_out: {type: varchar, description: "Why it has no coding that counts", nullable: true, accepted: [bot, undated, commit_after_ready]}
  pickup_seconds: {type: double, description: "Seconds from being ready to the first review by a human other than the author", nullable: true}
  pickup_working_seconds: {type: double, description: "Those of them on working days", nullable: true}
  review_seconds: {type: double, description: "Seconds from that review to the merge", nullable: true}
  review_working_seconds: {type: double, description: "Those of them on working days", nullable: true}
  review_left_out: {type: varchar, description: "Why it has neither pickup nor review that count", nullable: true, accepted: [bot, unreviewed, negative]}
  release_seconds: {type: double, description: "Seconds from the merge to the deployment", nullable: true}
  release_working_seconds: {type: double, description: "Those of them on working days", nullable: true}
  release_left_out: {type: varchar, description: "Why it has no release that counts", nullable: true, accepted: [baseline, bot, deployed_before_merge]}
  ci_wait_seconds: {type: double, description: "Seconds from being opened to the merge in which a CI run was queued or running", nullable: true}
  ci_queue_seconds: {type: double, description: "Those of them in which none ran; null where no run's tool tells", nullable: true}
  ci_rerun_seconds: {type: double, description: "Those of them in which no first attempt of a run was under way", nullable: true}
  ci_left_out: {type: varchar, description: "Why it has no wait for CI that counts", nullable: true, accepted: [bot, negative, no_run, running, undated]}
  url: {type: varchar, description: "Where a person can see it"}
*/
with shown as not materialized (
    select p.*, r.repository
    from core.pull_request as p
    -- refresh: semi join touched using (change_key)
    inner join core.repository as r using (source, repository_id)
    where p.is_change or p.ended_at is null
),

counted as not materialized (
    select change_key, chain_id
    from core.pull_request_chain
    -- refresh: semi join touched using (change_key)
),

placed as (
    select m.change_key, m.chain_id, p.source, p.repository_id, s.service, o.team
    from counted as m
    inner join core.subject as s on s.level = 'service' and s.chain_id = m.chain_id
    inner join shown as p using (change_key)
    inner join core.owner as o
        on o.service = s.service and during(coalesce(p.merged_at, p.opened_at), o.valid_from, o.valid_until)
),

-- What is of no service's, for want of one or of its paths, is the repository's alone.
alone as (
    select m.change_key, m.chain_id, null as service, null as team
    from counted as m
    inner join core.chain as c using (chain_id)
    anti join placed using (change_key)
    where c.service is null
),

shared as (
    select change_key, service, row_number() over (partition by change_key order by service) as shared_rank
    from placed
    semi join (
        select source, repository_id from core.service_repository group by all having count(*) > 1
    ) using (source, repository_id)
),

repeated as (
    select k.change_key, k.service, list(distinct t.team order by t.team) as repeats_for
    from shared as k
    inner join shared as b using (change_key)
    inner join core.pull_request as p using (change_key)
    inner join core.tenure as t on t.service = b.service and during(p.merged_at, t.valid_from, t.valid_until)
    where b.shared_rank < k.shared_rank
    group by all
)

select
    change_key, p.source, p.repository, p.number, m.service, subject_key('service', m.service) as subject_key, k.shared_rank,
    a.repeats_for, m.team, p.is_bot, p.opened_at, p.merged_at, p.merged_on,
    x.shipped_at as deployed_at, x.shipped_on as deployed_on,
    p.coding_seconds, p.coding_working_seconds, p.coding_left_out,
    p.pickup_seconds, p.pickup_working_seconds, p.review_seconds, p.review_working_seconds, p.review_left_out,
    x.release_seconds, x.release_working_seconds, x.left_out as release_left_out,
    w.wait_seconds as ci_wait_seconds, w.queue_seconds as ci_queue_seconds, w.rerun_seconds as ci_rerun_seconds,
    w.left_out as ci_left_out, p.url
from (select change_key, chain_id, service, team from placed union all from alone) as m
inner join shown as p using (change_key)
left join shared as k using (change_key, service)
left join repeated as a using (change_key, service)
left join core.pull_request_wait as w using (change_key)
left join core.pull_request_release as x using (chain_id, change_key)
order by subject_key, p.opened_at
