/*
description: >-
  When each service had something of a capability: value events, and states while they lasted. An event that failed, was
  cancelled or is not over brought nothing. It counts as use until the capability's cadence has passed.
grain: one row per thing seen, rule and service
key: [evidence_id]
needs: config.service_scope
columns:
  evidence_id: {type: varchar, description: "What was seen, rule and service"}
  capability: {type: varchar, description: "Capability, or `check:` and a check's name"}
  service: {type: varchar, description: "Name of the service"}
  is_state: {type: boolean, description: "A state; else an event"}
  used_from: {type: date, description: "Local day of the event, or on which the state was first seen"}
  used_until: {type: date, description: "Local day after the last of use; infinity while a state lasts"}
  held_until: {type: date, description: "Local day after the last that a check takes for use: of an event its cadence later"}
  lapses_on: {type: date, description: "First local day on which its cadence has passed; infinity while a state lasts"}
  is_start_unknown: {type: boolean, description: "It may have been there long before"}
  version_ordinal: {type: bigint, description: "Which of `capability_version`; null where it is none", nullable: true}
*/
with used as (
    select
        e.evidence_id, e.capability, e.service, e.kind = 'present' as is_state, e.observed_on as used_from,
        case
            when e.kind = 'used' then e.observed_on + 1
            when e.ended_on is null then 'infinity'::date
            -- Seen once, it was there that day.
            else greatest(e.ended_on, e.observed_on + 1)
        end as used_until,
        e.is_start_unknown, e.version_ordinal, coalesce(c.cadence_days, 30)::integer as cadence
    from core.capability_evidence as e
    anti join (from config.capability_rule where kind = 'ticket') as r using (rule_id)
    left join config.capability as c on c.capability = e.capability
    where e.service is not null and (e.kind = 'present' or coalesce(e.result, 'success') = 'success')
)

select
    evidence_id, capability, service, is_state, used_from, used_until,
    if(is_state, used_until, used_from + cadence) as held_until,
    if(used_until = 'infinity', 'infinity', used_until - 1 + cadence) as lapses_on,
    is_start_unknown, version_ordinal
from used
