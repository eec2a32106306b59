/*
description: >-
  Every address that leads to a repository: its own, and those it had before it was renamed or transferred,
  unless another has them by now.
grain: one row per address
key: [address]
columns:
  address: {type: varchar, description: "Host and path, without scheme, account and suffix"}
  source: {type: varchar, description: "Configured name of the repository's source"}
  repository_id: {type: varchar, description: "Id within the source"}
*/
with known as (
    select repository_address(url) as address, source, repository_id, 'infinity'::timestamptz as until
    from core.repository
    union all
    select repository_address(h.url), r.source, r.repository_id, coalesce(h.seen_until, 'infinity')
    from history.repository as h
    inner join core.repository as r on r.source = h.source and r.repository_id = h.id
)

select address, source, repository_id
from known
qualify row_number() over (partition by address order by until desc, source, repository_id) = 1
