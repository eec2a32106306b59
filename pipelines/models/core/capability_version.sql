/*
description: >-
  Versions of each capability, oldest first: those that the workspace lists, else the lines of releases
  (4 of v4.0.0 and v4.1.2) of the repository it names.
grain: one row per capability and version
key: [capability, version]
columns:
  capability: {type: varchar, description: "Name of the capability"}
  version: {type: varchar, description: "Version, or the number of a line of versions"}
  ordinal: {type: bigint, description: "From 1; the newest is the greatest"}
  released_on: {type: date, description: "Local day of its first release; null where the workspace lists it", nullable: true}
*/
with tagged as (
    select c.capability, regexp_extract(t.name, '^v?(\d{1,9})(\.\d+)*$', 1)::bigint as line, t."at" as tagged_at
    from config.capability as c
    inner join core.repository as r
        on lower(c.versions_from) = lower(r.repository) or repository_address(c.versions_from) = repository_address(r.url)
    inner join raw.ref as t on t.source = r.source and t.repository = r.repository_id and t.kind = 'tag'
    where regexp_matches(t.name, '^v?(\d{1,9})(\.\d+)*$')
)

select capability, version, ordinal, null::date as released_on
from config.capability_version
union all
select
    capability, line::varchar as version, row_number() over (partition by capability order by line) as ordinal,
    local_date(min(tagged_at)) as released_on
from tagged
group by capability, line
