/*
description: >-
  When each team first touched an offer, be it in vain, and the first production deployment after that of a service
  with which it did; of a touch of the team's own, of any of its services.
grain: one row per offer and team
key: [offer, team]
needs: config.service_scope
columns:
  offer: {type: varchar, description: "`capability:` and its name, or `platform`"}
  team: {type: varchar, description: "Team that owned the service then, or was the subject itself"}
  touched_at: {type: timestamp with time zone, description: "First evidence (UTC)"}
  touched_on: {type: date, description: "Local day of that"}
  is_start_unknown: {type: boolean, description: "It may have touched it before"}
  deployed_at: {type: timestamp with time zone, description: "First production deployment from then on (UTC)", nullable: true}
*/
with seen as (
    select e.capability, e.service, e.team, e.observed_at, e.observed_on, e.is_start_unknown
    from core.capability_evidence as e
    inner join config.capability_rule as r using (rule_id)
    where r.kind <> 'ticket' and (e.service is not null or e.team is not null)
),

touch as (
    select s.capability, s.service, o.team, s.observed_at, s.observed_on, s.is_start_unknown
    from seen as s
    inner join core.ownership as o on o.service = s.service and during(s.observed_at, o.valid_from, o.valid_until)
    union all
    select capability, null, team, observed_at, observed_on, is_start_unknown from seen where service is null
),

offered as (
    select 'capability:' || t.capability as offer, t.* exclude (capability)
    from touch as t
    inner join config.capability as c using (capability)
    where t.service is null or exists (
        from core.offer as o where o.offer = 'capability:' || t.capability and o.service = t.service
    )
),

every as (
    from offered
    union all by name
    select 'platform' as offer, * exclude (offer) from offered
),

first as (
    select
        offer, team, min(observed_at) as touched_at, min(observed_on) as touched_on,
        arg_min(is_start_unknown, (observed_at, not is_start_unknown)) as is_start_unknown
    from every
    group by offer, team
),

-- From when on a team's services, or all of them, count.
touched as (
    select offer, team, service, min(observed_at) as since from every group by all
),

deployed as (
    select s.key as service, d.finished_at
    from core.chain_deployment as d
    inner join core.subject as s on s.level = 'service' and s.chain_id = d.chain_id
)

select f.offer, f.team, f.touched_at, f.touched_on, f.is_start_unknown, min(d.finished_at) as deployed_at
from first as f
left join touched as t using (offer, team)
left join core.ownership as o on o.team = f.team and o.service = coalesce(t.service, o.service)
left join deployed as d
    on d.service = o.service and d.finished_at >= t.since and during(d.finished_at, o.valid_from, o.valid_until)
group by all
