/*
description: What was read of each repository, and how much of it could be matched.
grain: one row per repository
key: [source, repository]
columns:
  source: {type: varchar, description: "Configured name of the source"}
  repository: {type: varchar, description: "Name of the repository"}
  url: {type: varchar, description: "Where a person can open it"}
  service: {type: varchar, description: "A service it is part of; null where the repository is of none", nullable: true}
  commits: {type: bigint, description: "Commits read"}
  tags: {type: bigint, description: "Tags read"}
  release_tags: {type: bigint, description: "Tags that match the source's releases pattern"}
  undated_release_tags: {type: bigint, description: "Matching tags without a date a calendar holds; no deployments"}
  deployments: {type: bigint, description: "Deployments found"}
  commits_not_deployed: {type: bigint, description: "Commits that no deployment contains"}
  releases: {type: varchar, description: "Pattern of the tags that are deployments; null where the source reads none", nullable: true}
  first_commit_at: {type: timestamp with time zone, description: "First committer's date (UTC)", nullable: true}
  last_commit_at: {type: timestamp with time zone, description: "Last committer's date (UTC)", nullable: true}
  covered_until: {type: timestamp with time zone, description: "Everything before this moment was read (UTC)"}
*/
with committed as (
    select
        source, repository_id, count(*) as commits,
        min(committed_at) as first_commit_at, max(committed_at) as last_commit_at
    from core.commit
    group by all
),

tagged as (
    select
        t.source, t.repository as repository_id, count(*) as tags,
        count(*) filter (regexp_matches(t.name, s.releases)) as release_tags,
        count(*) filter (regexp_matches(t.name, s.releases) and t."at" is null) as undated_release_tags
    from raw.ref as t
    inner join config.source as s using (source)
    where t.kind = 'tag'
    group by all
),

deployed as (
    select c.source, c.repository_id, count(*) as deployments
    from core.chain_deployment as d
    inner join core.chain as c on c.chain_id = d.chain_id and c.service is null
    group by all
),

labelled as (
    select c.source, c.repository_id, k.commits
    from (select line_id, count(*) as commits from lineage.label group by line_id) as k
    inner join core.chain as c on c.chain_id = k.line_id and c.service is null
),

owner as (
    select source, repository_id, min(service) as service from core.service_repository group by all
)

select
    r.source,
    r.repository,
    r.url,
    o.service,
    coalesce(c.commits, 0) as commits,
    coalesce(t.tags, 0) as tags,
    coalesce(t.release_tags, 0) as release_tags,
    coalesce(t.undated_release_tags, 0) as undated_release_tags,
    coalesce(d.deployments, 0) as deployments,
    coalesce(c.commits, 0) - coalesce(l.commits, 0) as commits_not_deployed,
    s.releases,
    c.first_commit_at,
    c.last_commit_at,
    r.covered_until
from core.repository as r
inner join config.source as s using (source)
left join committed as c using (source, repository_id)
left join tagged as t using (source, repository_id)
left join deployed as d using (source, repository_id)
left join labelled as l using (source, repository_id)
left join owner as o using (source, repository_id)
order by r.source, r.repository
