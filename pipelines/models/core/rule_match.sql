/*
description: Which evidence rule means which thing that was seen. What is pushed under a capability's own name needs no rule.
grain: one row per rule and thing
key: [rule_id, thing]
columns:
  rule_id: {type: varchar, description: "Capability, kind and pattern"}
  capability: {type: varchar, description: "What it is evidence of: a capability's name, or `check:` and a check's"}
  kind: {type: varchar, description: "Kind of rule"}
  name: {type: varchar, description: "Its name"}
  thing: {type: varchar, description: "As records have it: kind and name, or what was pushed"}
*/
with rule as (
    select rule_id, capability, kind, pattern from config.capability_rule
    union
    select capability || '/event:' || name, capability, 'event', name from config.capability_name
)

select
    r.rule_id, r.capability, r.kind, t.name,
    unnest(if(t.kind = 'event', [t.name, 'event:' || t.name], [t.kind || ':' || t.name])) as thing
from rule as r
inner join core.capability_thing as t on t.kind = if(r.kind = 'ticket', 'event', r.kind)
where rule_matches(r.kind, r.pattern, t.name)
