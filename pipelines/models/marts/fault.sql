/*
description: Deployments that failed, with what shows it, to drill down to.
grain: one row per deployment and service; what is of no service has a row without one
key: [fault_id]
columns:
  fault_id: {type: varchar, description: "Deployment and what failed"}
  deployment_id: {type: varchar, description: "Deployment charged"}
  service: {type: varchar, description: "Service that failed; null where it is of none", nullable: true}
  subject_key: {type: ubigint, description: "The service as a number, by which the rows are stored: `subject_key('service', service)`", nullable: true}
  repository: {type: varchar, description: "Name of the deployment's repository, of several the first"}
  team: {type: varchar, description: "Team that owned the service then, of several the first by name", nullable: true}
  rule: {type: varchar, description: "Best of the rules that blame this deployment", accepted: [named, revert, rollback, hotfix, incident]}
  ref: {type: varchar, description: "Tag or branch that names the version, else the commit's first 10 digits"}
  deployed_at: {type: timestamp with time zone, description: "When the deployment first reached production (UTC)"}
  deployed_on: {type: date, description: "Local day on which it did"}
  began_at: {type: timestamp with time zone, description: "When it failed: then, or when it started, if an incident was opened before (UTC)"}
  recovered_at: {type: timestamp with time zone, description: "When the first mend reached production, or the last incident was resolved if that was earlier (UTC); null while it is open", nullable: true}
  recovery_seconds: {type: double, description: "Seconds from the one to the other, so far where it is open; null where negative", nullable: true}
  evidence: {type: 'struct(kind varchar, "rule" varchar, "at" timestamp with time zone, url varchar)[]', description: "Incidents when they were opened, rollbacks, reverts and hotfixes when they reached production; each with the rule that found it"}
  url: {type: varchar, description: "Where a person can see the deployment; null without a web host", nullable: true}
*/
with shown as (
    select
        fault_id,
        list(
            {kind: kind, rule: rule, "at": if(kind = 'incident', began_at, ended_at), url: url}
            order by if(kind = 'incident', began_at, ended_at), evidence_id
        ) as evidence
    from core.fault_evidence
    group by fault_id
),

owner as (
    select f.fault_id, o.team
    from core.fault as f
    inner join core.deployment as d using (deployment_id)
    inner join core.owner as o on o.service = f.service and during(d.finished_at, o.valid_from, o.valid_until)
)

select
    f.fault_id,
    f.deployment_id,
    f.service,
    subject_key('service', f.service) as subject_key,
    r.repository,
    o.team,
    f.rule,
    d.ref,
    d.finished_at as deployed_at,
    d.finished_on as deployed_on,
    f.began_at,
    f.recovered_at,
    if(f.recovered_at < f.began_at, null, coalesce(
        epoch(f.recovered_at), greatest(epoch(f.known_until), epoch(f.began_at))
    ) - epoch(f.began_at)) as recovery_seconds,
    s.evidence,
    coalesce(d.url, commit_url(r.url, d.sha)) as url
from core.fault as f
inner join shown as s using (fault_id)
inner join core.deployment as d using (deployment_id)
inner join core.repository as r using (source, repository_id)
left join owner as o using (fault_id)
order by d.finished_at, f.fault_id
