/*
description: >-
  Changes that reached production, each with the earliest deployment from whose commit it can be
  reached. With git alone, a change is a non-merge commit.
grain: one row per repository and change
key: [change_id]
columns:
  change_id: {type: varchar, description: "Source, repository and commit"}
  source: {type: varchar, description: "Configured name of the source"}
  repository_id: {type: varchar, description: "Id within the source"}
  sha: {type: varchar, description: "Commit id"}
  number: {type: bigint, description: "Pull request the subject names", nullable: true}
  kind: {type: varchar, description: "What the subject says", accepted: [revert, fix, change]}
  is_bot: {type: boolean, description: "Made by a bot"}
  first_authored_at: {type: timestamp with time zone, description: "Author's date of its first commit (UTC)", nullable: true}
  deployment_id: {type: varchar, description: "Deployment that shipped it first"}
  deployed_at: {type: timestamp with time zone, description: "When that deployment finished (UTC)"}
  deployed_on: {type: date, description: "Local day on which that deployment finished"}
  lead_time_seconds: {type: double, description: "Seconds from the author's date to the deployment; null where left out", nullable: true}
  left_out: {type: varchar, description: "Why it has no lead time that counts", nullable: true, accepted: [baseline, bot, undated, negative]}
*/
with shipped as (
    select
        c.*, d.deployment_id, d.finished_at, d.finished_on,
        epoch(d.finished_at) - epoch(c.authored_at) as seconds,
        case
            when d.is_baseline then 'baseline'
            when c.is_bot then 'bot'
            when c.authored_at is null then 'undated'
            when d.finished_at < c.authored_at then 'negative'
        end as left_out
    from lineage.label as l
    inner join core.commit as c using (source, repository_id, sha)
    inner join core.deployment as d using (source, repository_id, sequence)
    where not c.is_merge
)

select
    source || ':' || repository_id || '@' || sha as change_id,
    source,
    repository_id,
    sha,
    change_number as number,
    kind,
    is_bot,
    authored_at as first_authored_at,
    deployment_id,
    finished_at as deployed_at,
    finished_on as deployed_on,
    case when left_out is null then seconds end as lead_time_seconds,
    left_out
from shipped
