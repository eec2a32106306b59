/*
description: Changes that reached production, to drill down to.
grain: one row per service and change; of repositories of no service without one
key: [change_key, service]
by: [change_key]
touched:
  core.shipment: [change_key]
  core.change: [change_key]
  core.deployment: select s.change_key from core.shipment as s semi join changed using (deployment_id)
columns:
  change_key: {type: ubigint, description: "Change, as a number"}
  change_id: {type: varchar, description: "Source, repository and number, or commit"}
  service: {type: varchar, description: "Service it is part of; null where its repository is of none", nullable: true}
  subject_key: {type: ubigint, description: "The service as a number, by which the rows are stored: `subject_key('service', service)`", nullable: true}
  shared_rank: {type: bigint, description: "From 1 by the services' names, where its repository is of several: there may be a row for each", nullable: true}
  repeats_for: {type: 'varchar[]', description: "Teams of which another service, before it by name, has a row for the same change: it counts for them there", nullable: true}
  team: {type: varchar, description: "Team that owned the service when it shipped, of several the first by name", nullable: true}
  repository: {type: varchar, description: "Name of the repository"}
  sha: {type: varchar, description: "Commit that brought it to its base, or that it is", nullable: true}
  number: {type: bigint, description: "Its pull request, or the one that the commit's subject names", nullable: true}
  is_pull_request: {type: boolean, description: "A pull request; else a commit"}
  kind: {type: varchar, description: "What its title or subject says", accepted: [revert, fix, change]}
  is_bot: {type: boolean, description: "Made by a bot"}
  reverts_change_id: {type: varchar, description: "Change that it reverts", nullable: true}
  backports: {type: bigint, description: "Pull requests that bring nothing but cherry-picks of it, and cherry-picks without one"}
  first_authored_at: {type: timestamp with time zone, description: "Author's date of its first commit (UTC)", nullable: true}
  deployment_id: {type: varchar, description: "Deployment that shipped it first"}
  ref: {type: varchar, description: "Tag or branch that names that version, else its commit's first 10 digits"}
  deployed_at: {type: timestamp with time zone, description: "When that deployment finished (UTC)"}
  deployed_on: {type: date, description: "Local day on which that deployment finished"}
  fully_deployed_at: {type: timestamp with time zone, description: "When every production environment live at that time had it (UTC)", nullable: true}
  lead_time_seconds: {type: double, description: "Seconds from the author's date to the deployment; null where left out", nullable: true}
  lead_time_step: {type: smallint, description: "To count by: 100 times the logarithm of the lead time, rounded up, steps of 1 %; where it is left out -1 for baseline, -2 for bot, -3 for undated, -4 for negative"}
  left_out: {type: varchar, description: "Why it has no lead time that counts", nullable: true, accepted: [baseline, bot, undated, negative]}
  url: {type: varchar, description: "Where a person can see it; null without a web host", nullable: true}
*/
with shipment as not materialized (
    from core.shipment
    -- refresh: semi join touched using (change_key)
),

placed as (
    select x.*, s.service, s.subject_key, o.team
    from shipment as x
    inner join (
        select *, subject_key(level, key) as subject_key from core.subject where level = 'service'
    ) as s using (chain_id)
    inner join core.owner as o on o.service = s.service and during(x.shipped_at, o.valid_from, o.valid_until)
),

-- What is of no service's, for want of one or of its paths, is the repository's alone.
alone as (
    select x.*, null as service, null as subject_key, null as team
    from shipment as x
    inner join (
        select chain_id from core.chain where service is null
        except
        select chain_id from core.subject where level = 'service'
    ) as c using (chain_id)
    anti join placed as p using (change_key)
),

shared as (
    select
        p.change_key, p.service, p.shipped_at,
        row_number() over (partition by p.change_key order by p.service) as shared_rank
    from placed as p
    inner join core.chain as c using (chain_id)
    semi join (
        select source, repository_id from core.service_repository group by all having count(*) > 1
    ) as r on r.source = c.source and r.repository_id = c.repository_id
),

repeated as (
    select k.change_key, k.service, list(distinct t.team order by t.team) as repeats_for
    from shared as k
    inner join shared as b on b.change_key = k.change_key and b.shared_rank < k.shared_rank
    inner join core.tenure as t on t.service = b.service and during(b.shipped_at, t.valid_from, t.valid_until)
    group by all
)

select
    c.change_key,
    c.change_id,
    x.service,
    x.subject_key,
    k.shared_rank,
    a.repeats_for,
    x.team,
    r.repository,
    c.sha,
    c.number,
    c.is_pull_request,
    c.kind,
    c.is_bot,
    c.reverts_change_id,
    c.backports,
    c.first_authored_at,
    x.deployment_id,
    d.ref,
    x.shipped_at as deployed_at,
    x.shipped_on as deployed_on,
    x.fully_shipped_at as fully_deployed_at,
    x.lead_time_seconds,
    coalesce(
        -list_position(['baseline', 'bot', 'undated', 'negative'], x.left_out),
        ceil(100 * ln(greatest(x.lead_time_seconds, 1)))
    )::smallint as lead_time_step,
    x.left_out,
    c.url
from (from placed union all by name from alone order by subject_key, shipped_at) as x
left join shared as k using (service, change_key)
left join repeated as a using (service, change_key)
inner join core.change as c using (change_key)
inner join core.deployment as d using (deployment_id)
inner join core.repository as r on r.source = c.source and r.repository_id = c.repository_id
