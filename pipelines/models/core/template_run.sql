/*
description: Runs of capabilities' templates.
grain: one row per offer and run
key: [offer, run_id]
needs: config.service_scope
columns:
  offer: {type: varchar, description: "`capability:` and its name, or `platform`"}
  run_id: {type: varchar, description: "What was seen"}
  service: {type: varchar, description: "Service it is of; null where that is not known", nullable: true}
  team: {type: varchar, description: "Team that is the subject itself", nullable: true}
  started_at: {type: timestamp with time zone, description: "When it was asked for (UTC)"}
  finished_at: {type: timestamp with time zone, description: "When it ended (UTC)", nullable: true}
  day: {type: date, description: "Local day on which it was asked for"}
  result: {type: varchar, description: "How it ended", nullable: true}
*/
with run as (
    select
        e.capability, split_part(e.evidence_id, '|', 1) as run_id, min(e.service) as service, min(e.team) as team,
        any_value(e.observed_at) as started_at, any_value(e.finished_at) as finished_at,
        any_value(e.observed_on) as day, any_value(e.result) as result
    from core.capability_evidence as e
    inner join config.capability_rule as r using (rule_id)
    semi join config.capability as c on c.capability = e.capability
    where r.kind = 'template' and e.kind = 'used'
    group by e.capability, run_id
)

select 'capability:' || capability as offer, * exclude (capability) from run
union all
select
    'platform', run_id, min(service), min(team), any_value(started_at), any_value(finished_at), any_value(day),
    any_value(result)
from run
group by run_id
