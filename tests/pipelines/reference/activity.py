"""From when to when each subject lived, and how far its sources were read."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime

from connectors.records import Commit, Deployment, Incident, PipelineRun, PullRequest
from tests.pipelines.reference.ci import chains_of, located_runs, moment
from tests.pipelines.reference.deployments import Chain, located
from tests.pipelines.reference.incidents import incidents, services_of
from tests.pipelines.reference.repositories import Key
from tests.pipelines.reference.world import Subject, World


@dataclass
class Life:
    """First and last local day with anything known of a subject."""

    first: date
    last: date
    is_deployed: bool
    covered: dict[str, datetime]
    """Kind of metric (delivery, failure, ci) → everything before this was read."""


def lives(world: World) -> dict[Subject, Life]:
    """Commits, pull requests, runs and incidents up to the last sync of their repository, and deployments."""
    moments: dict[Key, list[datetime]] = defaultdict(list)
    for source, commit in world.given.all(Commit):
        if commit.committed_at:
            moments[source, commit.repository].append(commit.committed_at)
    for source, pull in world.given.all(PullRequest):
        dates = (pull.opened_at, pull.merged_at, pull.closed_at)
        moments[source, pull.repository] += [at for at in dates if at]
    ran: dict[Chain, list[datetime]] = defaultdict(list)
    for _, run, key in located_runs(world):
        for chain in chains_of(world, key, run.sha):
            ran[chain] += [at] if (at := moment(run)) else []
    days: dict[Subject, set[date]] = defaultdict(set)
    deployed: set[Subject] = set()
    for chain, line in world.lines.items():
        until = world.repositories[chain.repository].covered_until
        for at in (*moments[chain.repository], *ran[chain]):
            for subject in world.subjects(chain, at) if at <= until else ():
                days[subject].add(world.day(at))
        for rollout in line:
            for subject in world.subjects(chain, rollout.finished_at):
                days[subject].add(world.day(rollout.finished_at))
                deployed.add(subject)
    for incident in incidents(world):
        at = incident.record.opened_at
        services = [incident.service] if incident.service else []
        keys = {part.repository for part in world.parts if part.service == incident.service}
        if incident.service is None and incident.repository:
            keys = {incident.repository}
            services = services_of(world, incident.repository)
        for key in keys:
            if at <= world.repositories[key].covered_until:
                held = [subject for service in services for subject in world.of_service(service, at)]
                for subject in (*held, ("repository", world.repositories[key].name)):
                    days[subject].add(world.day(at))
    coverage = _coverage(world)
    return {
        subject: Life(min(found), max(found), subject in deployed, coverage[subject])
        for subject, found in days.items()
    }


def _coverage(world: World) -> dict[Subject, dict[str, datetime]]:
    """By subject: the least of what fed its repositories, its deployments, its incidents, and its runs.

    Of a tool that recorded deployments or runs, that part counts which recorded the latest.
    """
    given = world.given
    scopes = {(source, record): scope for source, scope, record in given.records}
    delivery: dict[Key, list[datetime]] = defaultdict(list)
    built: dict[Key, list[datetime]] = defaultdict(list)
    for key, repository in world.repositories.items():
        delivery[key].append(repository.covered_until)
        built[key].append(repository.covered_until)
    latest: dict[tuple[str, Key], Deployment] = {}
    for one in located(given, world.repositories, world.parts):
        before = latest.get((one.source, one.repository))
        if before is None or before.created_at < one.record.created_at:
            latest[one.source, one.repository] = one.record
    for (source, key), record in latest.items():
        delivery[key].append(given.covered[source, scopes[source, record]])
    newest: dict[tuple[str, Key], PipelineRun] = {}
    for source, run, key in located_runs(world):
        if run.repository is None and run.queued_at:
            before_run = newest.get((source, key))
            if before_run is None or (before_run.queued_at or run.queued_at) < run.queued_at:
                newest[source, key] = run
    for (source, key), run in newest.items():
        built[key].append(given.covered[source, scopes[source, run]])
    told = {source for source, _ in given.all(Incident)}
    incidents = [max(until for (source, _), until in given.covered.items() if source == one) for one in told]
    found: dict[Subject, dict[str, datetime]] = {}
    for subject, keys in _repositories_of(world).items():
        until = min(at for key in keys for at in delivery[key])
        found[subject] = {
            "delivery": until,
            "failure": min([until, *incidents]) - given.failure_window,
            "ci": min(at for key in keys for at in built[key]),
        }
    return found


def _repositories_of(world: World) -> dict[Subject, set[Key]]:
    found: dict[Subject, set[Key]] = defaultdict(set)
    for key, repository in world.repositories.items():
        found["repository", repository.name].add(key)
    for part in world.parts:
        found["service", part.service].add(part.repository)
        for tenure in world.tenures:
            if tenure.service == part.service:
                found["tenure", tenure.key].add(part.repository)
    return found
