/*
description: >-
  In which chains a change counts: that of its repository, and of services that share it those without
  paths or whose paths it touches.
grain: one row per change and chain
key: [change_key, chain_id]
day: merged_on
by: [change_key]
touched:
  core.change: [change_key]
  core.change_commit: [change_key]
  core.commit: select change_key from core.change_commit semi join changed using (commit_key)
columns:
  change_key: {type: ubigint, description: "Change, as a number"}
  chain_id: {type: varchar, description: "Chain"}
  merged_on: {type: date, description: "Local day on which the pull request was merged; null for a commit", nullable: true}
*/
with path as (
    select c.chain_id, c.source, c.repository_id, unnest(m.paths) as path
    from core.chain as c
    inner join core.service_repository as m using (service, source, repository_id)
),

owned as not materialized (
    select change_key, commit_key
    from core.change_commit
    -- refresh: semi join touched using (change_key)
),

folder as (
    select distinct o.change_key, c.source, c.repository_id, unnest(c.folders) as folder
    from owned as o
    inner join (
        from core.commit
        -- refresh: semi join (select commit_key from owned where is_any(commit_key)) using (commit_key)
        semi join path using (source, repository_id)
    ) as c using (commit_key)
),

placed as (
    select h.change_key, c.chain_id
    from core.change as h
    -- refresh: semi join touched using (change_key)
    inner join core.chain as c using (source, repository_id)
    where c.service is null or not exists (select 1 from path as p where p.chain_id = c.chain_id)
    union all
    select distinct f.change_key, p.chain_id
    from folder as f
    inner join path as p using (source, repository_id)
    where f.folder = trim(p.path, '/') or starts_with(f.folder, trim(p.path, '/') || '/')
)

select p.change_key, p.chain_id, local_date(h.merged_at) as merged_on
from placed as p
inner join core.change as h using (change_key)
