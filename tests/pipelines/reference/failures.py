"""Figures of failures: how many deployments fail, for how long, and how many mend what others broke."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from tests.pipelines.reference.deployments import Rollout
from tests.pipelines.reference.faults import faults, units
from tests.pipelines.reference.incidents import Located, Unit, incidents, services_of, unit_chains
from tests.pipelines.reference.mends import mends
from tests.pipelines.reference.world import Seen, Subject, World


@dataclass
class Failure:
    """A deployment that failed, for one subject."""

    began_at: datetime
    recovered_at: datetime | None
    known_until: datetime | None


def subjects(world: World, unit: Unit, rollout: Rollout) -> list[Subject]:
    """What a fault of a unit counts for."""
    held = world.of_service(unit, rollout.finished_at) if isinstance(unit, str) else []
    keys = sorted({chain.repository for chain in unit_chains(world, unit)} & rollout.shas.keys())
    return [*held, *(("repository", world.repositories[key].name) for key in keys)]


def failures(world: World) -> dict[tuple[Subject, str], Failure]:
    """(subject, deployment) → its failure, all faults of it together."""
    found: dict[tuple[Subject, str], Failure] = {}
    for fault in faults(world):
        for subject in subjects(world, fault.unit, fault.deployment):
            here = Failure(fault.began_at, fault.recovered_at, fault.known_until)
            place = subject, fault.deployment.id
            if place in found:
                before = found[place]
                ends = (before.recovered_at, here.recovered_at)
                known = [at for at in (before.known_until, here.known_until) if at]
                here = Failure(
                    min(before.began_at, here.began_at),
                    max(at for at in ends if at) if all(ends) else None,
                    max(known, default=None),
                )
            found[place] = here
    return found


def fail_rate(world: World) -> Iterator[Seen]:
    """Deployments charged with a fault."""
    failed = failures(world)
    for chain, line in world.lines.items():
        for rollout in line:
            for subject in world.subjects(chain, rollout.finished_at):
                hit = (subject, rollout.id) in failed
                yield Seen(subject, world.day(rollout.finished_at), rollout.id, hit=hit)


def recovery(world: World) -> Iterator[Seen]:
    """From the failing deployment to its recovery, or as far as is known."""
    finished = {rollout.id: rollout.finished_at for rollout in world.rollouts}
    for (subject, id_), failure in failures(world).items():
        end = failure.recovered_at or failure.known_until
        assert end, "what has no incident has a mend"
        value: float | None = (end - failure.began_at).total_seconds()
        left_out = None
        if failure.recovered_at is None:
            value = max(value or 0.0, 0.0)
        elif failure.recovered_at < failure.began_at:
            value, left_out = None, "negative"
        ended = failure.recovered_at is not None
        yield Seen(subject, world.day(finished[id_]), id_, value, ended=ended, left_out=left_out)


def rework(world: World) -> Iterator[Seen]:
    """Deployments that roll back, ship a revert or hotfix, or are an incident's named fix."""
    doing: dict[Unit, set[str]] = defaultdict(set)
    for unit in units(world):
        doing[unit] |= {mend.by.id for mend in mends(world, unit)}
    for incident in incidents(world):
        if incident.fix and incident.fix_unit:
            doing[incident.fix_unit].add(incident.fix.id)
    for chain, line in world.lines.items():
        for rollout in line:
            for subject in world.subjects(chain, rollout.finished_at):
                if subject[0] == "repository":
                    own: list[Unit] = [*services_of(world, chain.repository), chain.repository]
                elif subject[0] == "service":
                    own = [subject[1]]
                else:
                    own = [tenure.service for tenure in world.tenures if tenure.key == subject[1]]
                hit = any(rollout.id in doing[unit] for unit in own)
                yield Seen(subject, world.day(rollout.finished_at), rollout.id, hit=hit)


def incident_subjects(world: World, incident: Located) -> list[Subject]:
    """What an incident counts for: its service and the repositories of that, of these the one it names."""
    if incident.service is None:
        keys = {incident.repository} if incident.repository else set()
        return [("repository", world.repositories[key].name) for key in keys]
    keys = {part.repository for part in world.parts if part.service == incident.service}
    if incident.repository:
        keys &= {incident.repository}
    held = world.of_service(incident.service, incident.record.opened_at)
    return [*held, *(("repository", world.repositories[key].name) for key in keys)]


def restore(world: World) -> Iterator[Seen]:
    """From an incident's opening to its resolution, or as far as is known."""
    for incident in incidents(world):
        record = incident.record
        value: float | None = (
            (record.resolved_at or incident.covered_until) - record.opened_at
        ).total_seconds()
        left_out = None
        if record.resolved_at is None:
            value = max(value or 0.0, 0.0)
        elif record.resolved_at < record.opened_at:
            value, left_out = None, "negative"
        for subject in incident_subjects(world, incident):
            ended = record.resolved_at is not None
            yield Seen(
                subject, world.day(record.opened_at), incident.id, value, ended=ended, left_out=left_out
            )
