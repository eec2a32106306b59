/*
description: >-
  Changes: merged pull requests that own commits; and non-merge commits that no pull request owns, once
  a deployment contains them.
grain: one row per change
key: [change_key]
by: [change_key]
touched:
  core.change_commit: >-
    select change_key from changed
    union all
    select o.change_key
    from changed as b
    inner join core.revert as r on r.reverted_key = b.commit_key
    inner join core.change_commit as o on o.commit_key = r.commit_key
  core.commit: select change_key from core.change_commit semi join changed using (commit_key)
  core.revert: select change_key from core.change_commit semi join changed using (commit_key)
  core.pick: >-
    select o.change_key
    from core.change_commit as o
    inner join changed as p on p.origin_key = o.commit_key
  core.claim: >-
    select o.change_key
    from changed as k
    inner join core.pick as p using (commit_key)
    inner join core.change_commit as o on o.commit_key = p.origin_key
  core.merged_change: >-
    select change_key from changed
    union all
    select o.change_key
    from changed as w
    inner join core.claim as k using (change_key)
    inner join core.pick as p using (commit_key)
    inner join core.change_commit as o on o.commit_key = p.origin_key
    union all
    select change_key(p.source, p.repository, p.number)
    from changed as m
    inner join raw.pull_request as p
        on p.source = m.source and p.repository = m.repository_id and p.reverts = m.number
  raw.pull_request: >-
    select change_key(source, repository, number) from changed
columns:
  change_key: {type: ubigint, description: "Change, as a number"}
  change_id: {type: varchar, description: "Source, repository and number, or commit"}
  source: {type: varchar, description: "Configured name of the source"}
  repository_id: {type: varchar, description: "Id within the source"}
  number: {type: bigint, description: "Its pull request, or the one that the commit's subject names", nullable: true}
  sha: {type: varchar, description: "Commit that brought it to its base, or that it is", nullable: true}
  is_pull_request: {type: boolean, description: "A pull request; else a commit"}
  kind: {type: varchar, description: "What its title or subject says", accepted: [revert, fix, change]}
  is_bot: {type: boolean, description: "Made by a bot"}
  is_hotfix: {type: boolean, description: "From a hotfix branch, or labelled so"}
  reverts_change_key: {type: ubigint, description: "Change that it reverts, as a number", nullable: true}
  reverts_change_id: {type: varchar, description: "That change", nullable: true}
  commits: {type: bigint, description: "Commits it owns"}
  first_authored_at: {type: timestamp with time zone, description: "Author's date of its first commit (UTC)", nullable: true}
  merged_at: {type: timestamp with time zone, description: "When it was merged (UTC); null for a commit", nullable: true}
  backports: {type: bigint, description: "Pull requests that bring nothing but cherry-picks of it, and cherry-picks without one"}
  url: {type: varchar, description: "Where a person can see it; null without a web host", nullable: true}
*/
with part as not materialized (
    select change_key, commit_key, origin_key
    from core.change_commit
    -- refresh: semi join touched using (change_key)
    where role = 'part'
),

-- The change of no pull request has its commit's number.
lone as not materialized (
    select commit_key, source, repository_id, sha, change_number, kind, is_bot, authored_at
    from core.commit
    -- refresh: semi join (
    -- refresh:     select commit_key from part where commit_key = change_key and is_any(commit_key)
    -- refresh: ) using (commit_key)
),

owned as (
    select change_key, count(*) as commits
    from part
    where commit_key = origin_key and commit_key <> change_key
    group by change_key
),

-- Of most pull requests the host tells.
dated as (
    select o.change_key, min(c.authored_at) as first_authored_at
    from part as o
    semi join (
        select change_key(source, repository, number) as change_key
        from raw.pull_request
        where merged_at is not null and first_commit_at is null
    ) as p using (change_key)
    inner join core.commit as c using (commit_key)
    where commit_key = o.origin_key
    group by o.change_key
),

reverted as (
    select o.change_key, b.change_key as reverted_key
    from part as o
    inner join core.revert as r using (commit_key)
    inner join core.change_commit as b on b.commit_key = r.reverted_key
    where b.change_key <> o.change_key
),

-- By their names: of several that have the commit the first is meant.
reverting as (
    select
        r.change_key,
        min({
            change_id: concat(n.source, ':', n.repository_id, coalesce('#' || n.number, '@' || n.sha)),
            change_key: r.reverted_key
        }) as reverts
    from reverted as r
    inner join (
        select change_key, source, repository_id, number, null as sha from core.merged_change
        union all
        select commit_key, source, repository_id, null, sha from core.commit
    ) as n on n.change_key = r.reverted_key
    group by r.change_key
),

picked as (
    select o.change_key, count(distinct coalesce(k.change_key, p.commit_key)) as backports
    from core.pick as p
    inner join (
        from core.change_commit
        -- refresh: semi join touched using (change_key)
    ) as o on o.commit_key = p.origin_key and o.commit_key = o.origin_key
    left join core.claim as k on k.commit_key = p.commit_key and k.is_owner
    -- A pull request that brings more than picks is a change of its own.
    anti join core.merged_change as w on w.change_key = k.change_key
    group by all
),

hotfix as (
    select distinct p.source, p.repository, p.number
    from (select source, repository, number, unnest(labels) as label from raw.pull_request) as p
    inner join config.hotfix_label as h on lower(h.label) = lower(p.label)
),

change as (
    select
        m.change_key, concat(m.source, ':', m.repository_id, '#', m.number) as change_id, m.source, m.repository_id,
        m.number, p.merge_sha as sha, true as is_pull_request, p.kind, p.is_bot,
        p.is_hotfix or h.number is not null as is_hotfix,
        if(p.reverts is null, null, change_key(m.source, m.repository_id, p.reverts)) as reverts_change_key,
        concat(m.source, ':', m.repository_id, '#', p.reverts) as reverts_change_id,
        p.first_commit_at as first_authored_at, p.merged_at, p.url
    from core.merged_change as m
    -- refresh: semi join touched using (change_key)
    inner join raw.pull_request as p
        on p.source = m.source and p.repository = m.repository_id and p.number = m.number
    left join hotfix as h on h.source = m.source and h.repository = m.repository_id and h.number = m.number
    union all
    select
        commit_key, concat(c.source, ':', c.repository_id, '@', c.sha), c.source, c.repository_id, c.change_number, c.sha,
        false, c.kind, c.is_bot, false, null, null, c.authored_at, null, commit_url(r.url, c.sha)
    from part as o
    inner join lone as c using (commit_key)
    inner join core.repository as r on r.source = c.source and r.repository_id = c.repository_id
    where commit_key = o.change_key
)

select
    c.change_key, c.change_id, c.source, c.repository_id, c.number, c.sha, c.is_pull_request, c.kind, c.is_bot, c.is_hotfix,
    coalesce(n.change_key, r.reverts.change_key) as reverts_change_key,
    if(n.change_key is not null, c.reverts_change_id, r.reverts.change_id) as reverts_change_id,
    coalesce(o.commits, if(c.is_pull_request, 0, 1)) as commits,
    coalesce(c.first_authored_at, d.first_authored_at) as first_authored_at,
    c.merged_at,
    coalesce(b.backports, 0) as backports,
    c.url
from change as c
left join owned as o using (change_key)
left join dated as d using (change_key)
left join reverting as r using (change_key)
left join picked as b using (change_key)
left join core.merged_change as n on n.change_key = c.reverts_change_key
