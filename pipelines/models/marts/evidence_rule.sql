/*
description: What each evidence rule of the workspace has matched, and for those that have matched nothing what there is that looks alike.
grain: one row per rule
key: [rule_id]
columns:
  rule_id: {type: varchar, description: "Capability, kind and pattern"}
  capability: {type: varchar, description: "What it is evidence of: a capability, or `check:` and a check's name"}
  kind: {type: varchar, description: "Kind of thing it is about"}
  pattern: {type: varchar, description: "What names of such things are held against"}
  things: {type: bigint, description: "Different things that it matches"}
  observations: {type: bigint, description: "Events and states of these"}
  services: {type: bigint, description: "Services that were seen with one"}
  things_of_kind: {type: bigint, description: "Different things of its kind that any source saw"}
  alike: {type: 'varchar[]', description: "Up to five of those, most alike first, where it matches none"}
*/
with matched as (
    select rule_id, count(distinct name) as things from core.rule_match group by rule_id
),

seen as (
    select rule_id, count(distinct evidence_id) as observations, count(distinct service) as services
    from core.capability_evidence
    group by rule_id
),

thing as (
    select unnest(if(kind = 'event', ['event', 'ticket'], [kind])) as kind, name from core.capability_thing
),

near as (
    select
        r.rule_id, count(*) as things,
        list(t.name order by jaro_winkler_similarity(lower(t.name), lower(replace(r.pattern, '*', ''))) desc, t.name)[:5]
            as names
    from config.capability_rule as r
    inner join thing as t using (kind)
    group by r.rule_id, r.pattern
)

select
    r.rule_id, r.capability, r.kind, r.pattern,
    coalesce(m.things, 0) as things,
    coalesce(s.observations, 0) as observations,
    coalesce(s.services, 0) as services,
    coalesce(a.things, 0) as things_of_kind,
    if(m.things is null, coalesce(a.names, []), []) as alike
from config.capability_rule as r
left join matched as m using (rule_id)
left join seen as s using (rule_id)
left join near as a using (rule_id)
