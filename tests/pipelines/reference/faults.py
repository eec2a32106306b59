"""Faults: which pieces of evidence are of one, and the deployment that it is charged to.

Evidence is found, linked and charged in each unit by itself.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from tests.pipelines.reference.deployments import Rollout
from tests.pipelines.reference.incidents import Located, Unit, incidents, label
from tests.pipelines.reference.mends import Mend, mends
from tests.pipelines.reference.world import World

RANKS = {"named": 1, "revert": 2, "rollback": 3, "hotfix": 4, "incident": 5}


@dataclass
class Node:
    """All evidence of one unit that blames one deployment."""

    deployment: Rollout
    incidents: list[Located] = field(default_factory=list)
    mends: list[Mend] = field(default_factory=list)

    @property
    def rank(self) -> int:
        named = [RANKS[incident.rule] for incident in self.incidents if incident.rule]
        return min([*named, *(RANKS[mend.kind] for mend in self.mends)])

    @property
    def order(self) -> tuple[datetime, str]:
        return self.deployment.finished_at, self.deployment.id


class Fault(NamedTuple):
    """Evidence charged to one deployment in one unit."""

    unit: Unit
    deployment: Rollout
    rule: str
    incidents: list[Located]
    mends: list[Mend]

    @property
    def began_at(self) -> datetime:
        finished = self.deployment.finished_at
        early = any(incident.record.opened_at < finished for incident in self.incidents)
        return self.deployment.started_at if early else finished

    @property
    def recovered_at(self) -> datetime | None:
        ends = [mend.ended_at for mend in self.mends]
        ends += [incident.fix.finished_at for incident in self.incidents if incident.fix]
        resolved = [incident.record.resolved_at for incident in self.incidents]
        if resolved and all(resolved):
            ends.append(max(at for at in resolved if at))
        return min(ends, default=None)

    @property
    def known_until(self) -> datetime | None:
        untils = [one.covered_until for one in self.incidents if one.record.resolved_at is None]
        return max(untils, default=None)


def units(world: World) -> list[Unit]:
    return [*sorted({part.service for part in world.parts}), *world.repositories]


def faults(world: World) -> list[Fault]:
    """Every fault of every unit."""
    told = incidents(world)
    found = []
    for unit in units(world):
        nodes: dict[str, Node] = {}
        for incident in told:
            if incident.unit == unit and incident.deployment:
                node = nodes.setdefault(incident.deployment.id, Node(incident.deployment))
                node.incidents.append(incident)
        for mend in mends(world, unit):
            nodes.setdefault(mend.blamed.id, Node(mend.blamed)).mends.append(mend)
        links = _links(world, nodes)
        charged: dict[str, list[Node]] = defaultdict(list)
        for node in nodes.values():
            charged[_charged(node, nodes, links).deployment.id].append(node)
        for id_, own in charged.items():
            rule = next(name for name, rank in RANKS.items() if rank == nodes[id_].rank)
            found.append(
                Fault(
                    unit,
                    nodes[id_].deployment,
                    rule,
                    [incident for node in own for incident in node.incidents],
                    [mend for node in own for mend in node.mends],
                )
            )
    return found


def _links(world: World, nodes: dict[str, Node]) -> set[frozenset[str]]:
    """Pairs of deployments that pieces of the same fault blame."""
    window = world.given.failure_window
    all_incidents = [(incident, id_) for id_, node in nodes.items() for incident in node.incidents]
    all_mends = [(mend, id_) for id_, node in nodes.items() for mend in node.mends]
    links = set()
    for mend, id_ in all_mends:
        if nodes[id_].incidents:
            continue
        during = [
            (incident.record.opened_at, incident.id, other)
            for incident, other in all_incidents
            if incident.record.opened_at >= mend.blamed.started_at
            and incident.record.opened_at <= mend.ended_at <= incident.record.opened_at + window
            and (incident.record.resolved_at is None or incident.record.resolved_at >= mend.began_at)
        ]
        if during:
            links.add(frozenset((id_, max(during)[2])))
    for back, back_id in all_mends:
        for revert, revert_id in all_mends:
            if (back.kind, revert.kind) == ("rollback", "revert") and back.chain == revert.chain:
                ids = [rollout.id for rollout in world.lines[back.chain]]
                to = label(world, back.chain, back.version)
                left = ids.index(revert_id)
                is_behind = to is not None and to < left < ids.index(back_id)
                if is_behind and revert.ended_at >= back.ended_at:
                    links.add(frozenset((back_id, revert_id)))
    return links


def _charged(node: Node, nodes: dict[str, Node], links: set[frozenset[str]]) -> Node:
    """Where it yields to, step by step, a linked deployment blamed by better evidence."""
    linked = [
        nodes[other]
        for link in links
        if node.deployment.id in link
        for other in link - {node.deployment.id}
        if nodes[other].rank < node.rank
    ]
    if not linked:
        return node
    best = min(other.rank for other in linked)
    return _charged(max((o for o in linked if o.rank == best), key=lambda o: o.order), nodes, links)
