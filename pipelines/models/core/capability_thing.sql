/*
description: >-
  Every thing that was seen in use, by any source and whether a rule means it or not: what an evidence rule can match.
grain: one row per kind and name
key: [kind, name]
columns:
  kind: {type: varchar, description: "Kind of thing, as the rules have it: `image`, `workflow`, `step`, …"}
  name: {type: varchar, description: "Its name"}
  things: {type: bigint, description: "In how many places, or how often, it was seen"}
*/
with said as (
    select capability as thing, count(*) as things
    from raw.capability_use
    inner join config.source using (source)
    group by all
    union all
    select capability, count(*)
    from history.capability_state
    inner join config.source using (source)
    group by all
),

-- What others push has the name that they give it, which may hold a colon.
named as (
    select
        if(
            contains(thing, ':') and regexp_matches(thing, '^(template|workflow|action|include|component|image|chart|module|kustomize|annotation|label|step|event|gitlab-template):'),
            split_part(thing, ':', 1),
            'event'
        ) as kind,
        thing, things
    from said
)

select kind, if(starts_with(thing, kind || ':'), substr(thing, len(kind) + 2), thing) as name, sum(things)::bigint as things
from named
group by all
union all
select 'step', j.name, sum(j.things)::bigint
from (select source, name, count(*) as things from raw.job group by source, name) as j
inner join config.source using (source)
group by j.name
