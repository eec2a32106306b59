"""Incidents: where each happened, and the deployment that it names or that went before it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from connectors.records import Incident
from tests.pipelines.reference.changes import SHORTEST_SHA, Change
from tests.pipelines.reference.deployments import Chain, Rollout
from tests.pipelines.reference.repositories import Key
from tests.pipelines.reference.shipping import ancestors
from tests.pipelines.reference.world import World

Unit = str | Key
"""Where evidence is found by itself: a service, or a repository for what is of none of its services."""


@dataclass
class Located:
    """An incident, the unit it happened in, and what it blames."""

    source: str
    record: Incident
    service: str | None
    repository: Key | None
    covered_until: datetime
    unit: Unit | None = None
    """In which it counts as evidence."""
    rule: str | None = None
    deployment: Rollout | None = None
    fix: Rollout | None = None
    fix_unit: Unit | None = None

    @property
    def id(self) -> str:
        return f"{self.source}:{self.record.id}"


def unit_chains(world: World, unit: Unit) -> list[Chain]:
    if isinstance(unit, str):
        return [chain for chain in world.lines if unit in world.services(chain)]
    return [chain for chain in world.lines if chain.repository == unit and chain.service is None]


def services_of(world: World, key: Key) -> list[str]:
    return sorted({part.service for part in world.parts if part.repository == key})


def unit_of(world: World, key: Key) -> Unit:
    """The one service of a repository, else the repository."""
    services = services_of(world, key)
    return services[0] if len(services) == 1 else key


def incidents(world: World) -> list[Located]:
    """Every incident, with the deployment that it names or that went before it."""
    scopes = {(source, record): scope for source, scope, record in world.given.records}
    services = {part.service for part in world.parts}
    found = []
    for source, record in world.given.all(Incident):
        key = (source, record.repository) if record.repository else None
        key = key if key in world.repositories else None
        service = record.service if record.service in services else None
        if service is None and key and len(services_of(world, key)) == 1:
            (service,) = services_of(world, key)
        covered = world.given.covered[source, scopes[source, record]]
        one = Located(source, record, service, key, covered)
        own: Unit | None = service or key
        _blame(world, one, own)
        found.append(one)
    return found


def _blame(world: World, one: Located, own: Unit | None) -> None:
    named = _by_deployment(world, one, own) or _by_sha(world, one, own) or _by_change(world, one, own)
    if named and named[0].started_at > one.record.opened_at:
        one.fix, one.fix_unit = named
        named = None
    if named:
        (one.deployment, one.unit), one.rule = named, "named"
        return
    opened = one.record.opened_at
    before = [
        rollout
        for chain in (unit_chains(world, own) if own else ())
        for rollout in world.lines[chain]
        if rollout.started_at <= opened
    ]
    if before and opened <= (last := max(before, key=place)).finished_at + world.given.failure_window:
        one.deployment, one.unit, one.rule = last, own, "incident"


def place(rollout: Rollout) -> tuple[datetime, datetime, str]:
    return rollout.started_at, rollout.finished_at, rollout.id


def _by_deployment(world: World, one: Located, own: Unit | None) -> tuple[Rollout, Unit] | None:
    """By the id of a record or of a rollout: in the incident's own source, else in any."""
    named: dict[str, set[str]] = defaultdict(set)
    by_id = {rollout.id: rollout for rollout in world.rollouts}
    for rollout in world.rollouts:
        for event in rollout.events:
            if one.record.deployment in event.names:
                named[event.id.partition(":")[0]].add(rollout.id)
    found = named[one.source] if len(named[one.source]) == 1 else set().union(*named.values())
    if len(found) != 1:
        return None
    rollout = by_id[found.pop()]
    if own and any(rollout in world.lines[chain] for chain in unit_chains(world, own)):
        return rollout, own
    return rollout, rollout.service or unit_of(world, min(rollout.shas))


def _by_sha(world: World, one: Located, own: Unit | None) -> tuple[Rollout, Unit] | None:
    """By a commit: the latest deployment of just that before the incident, else the one that shipped it."""
    text = (one.record.sha or "").lower()
    if len(text) < SHORTEST_SHA:
        return None
    everywhere = [(key, sha) for key, graph in world.graphs.items() for sha in graph if sha.startswith(text)]
    here = {chain.repository for chain in unit_chains(world, own)} if own else set()
    found = [(key, sha) for key, sha in everywhere if key in here]
    unit = own
    if not found and len(everywhere) == 1:
        found = everywhere
        unit = unit_of(world, found[0][0])
    if len(found) != 1 or unit is None:
        return None
    key, sha = found[0]
    for chain in unit_chains(world, unit):
        if chain.repository != key:
            continue
        line = world.lines[chain]
        just = [r for r in line if r.shas[key] == sha and r.started_at <= one.record.opened_at]
        if just:
            return max(just, key=place), unit
        first = label(world, chain, sha)
        if first:
            return line[first], unit
    return None


def label(world: World, chain: Chain, sha: str) -> int | None:
    """Position of the first deployment of a chain that contains a commit."""
    graph = world.graphs[chain.repository]
    for n, rollout in enumerate(world.lines[chain]):
        if sha in ancestors(graph, rollout.shas[chain.repository]):
            return n
    return None


def _by_change(world: World, one: Located, own: Unit | None) -> tuple[Rollout, Unit] | None:
    """By the number of a pull request: the first deployment that shipped it, or commits that name it."""
    number = one.record.change_number
    if number is None or own is None:
        return None
    chains = unit_chains(world, own)
    named = [
        change
        for change in world.changes
        if change.repository in {chain.repository for chain in chains} and _number(world, change) == number
    ]
    if len({change.repository for change in named}) != 1:
        return None
    shipped = [s for s in world.shipments if s.chain in chains and any(s.change is c for c in named)]
    if not shipped:
        return None
    first = min(shipped, key=lambda s: s.position)
    return (first.rollout, own) if first.position else None


def _number(world: World, change: Change) -> int | None:
    """Of a pull request its own, of a commit that was deployed the one its subject names."""
    if change.pull_request:
        return change.pull_request.number
    (sha,) = change.commits
    return world.graphs[change.repository][sha].change_number if world.is_known(change) else None
