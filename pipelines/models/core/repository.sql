/*
description: Repositories that the workspace's sources name and that were read, each once.
grain: one row per repository
key: [source, repository_id]
columns:
  source: {type: varchar, description: "Configured name of the source"}
  repository_id: {type: varchar, description: "Id within the source"}
  repository: {type: varchar, description: "Name, unique in the workspace"}
  url: {type: varchar, description: "Where a person can open it"}
  default_branch: {type: varchar, description: "Branch that HEAD names; null while there is no commit", nullable: true}
  archived: {type: boolean, description: "Read-only on its host"}
  covered_until: {type: timestamp with time zone, description: "Everything before this moment was read (UTC)"}
*/
with named as (
    select r.source, r.id, r.name, r.url, r.default_branch, r.archived, c.covered_until
    from raw.repository as r
    inner join raw.coverage as c on c.source = r.source and c.scope = r.scope
    inner join config.source as s on s.source = r.source
    -- Two sources that read the same repository: the host's own tool knows more of it than git.
    qualify row_number() over (
        partition by case
            when contains(r.url, '://') then repository_address(r.url)
            when s.kind = 'git' then r.id
            else s.source || ':' || r.id
        end
        -- Of one deleted and made anew under its name, the one that is still read.
        order by s.kind = 'git', s.position, c.covered_until desc, r.id desc
    ) = 1
)

select
    source,
    id as repository_id,
    case when count(*) over (partition by name) > 1 then source || '/' || name else name end as repository,
    url,
    default_branch,
    archived,
    covered_until
from named
