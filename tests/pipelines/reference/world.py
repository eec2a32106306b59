"""Everything that is found out once about an organisation, before any metric."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from connectors.records import Commit
from tests.pipelines.reference.changes import Change, changes, graphs, in_part, touches
from tests.pipelines.reference.deployments import Chain, Rollout, chains, events, rollouts
from tests.pipelines.reference.given import Given
from tests.pipelines.reference.ownership import Owned, Tenure, ownership, tenures
from tests.pipelines.reference.periods import local_day
from tests.pipelines.reference.repositories import Key, Known, Part, parts, repositories
from tests.pipelines.reference.shipping import Shipment, shipments

Subject = tuple[str, str]
"""(level, key), where level is repository, service or tenure: a service while a team owns it."""


class Seen(NamedTuple):
    """One thing that one figure of one subject counts; of the same thing seen twice the first is taken."""

    subject: Subject
    day: date
    thing: Hashable
    value: float | None = None
    """Of a median; None where left out."""
    hit: bool = False
    """Of a rate."""
    cluster: str = ""
    ended: bool = True
    """Of a survival: `value` is the whole time, not the time so far."""
    left_out: str | None = None


@dataclass(frozen=True)
class World:
    """An organisation, found out."""

    given: Given
    repositories: dict[Key, Known]
    parts: list[Part]
    rollouts: list[Rollout]
    lines: dict[Chain, list[Rollout]]
    graphs: dict[Key, dict[str, Commit]]
    changes: list[Change]
    shipments: list[Shipment]
    owned: dict[str, Owned]
    tenures: list[Tenure]

    def day(self, moment: datetime) -> date:
        return local_day(moment, self.given.timezone)

    def services(self, chain: Chain) -> list[str]:
        """Services whose line of deployments it is."""
        if not chain.is_leaf:
            return []
        if chain.service is not None:
            return [chain.service]
        return sorted({part.service for part in self.parts if part.repository == chain.repository})

    def subjects(self, chain: Chain, moment: datetime) -> list[Subject]:
        """What something that happened in a chain counts for."""
        whole = [("repository", self.repositories[chain.repository].name)] if chain.service is None else []
        return [*whole, *(s for service in self.services(chain) for s in self.of_service(service, moment))]

    def touches(self, chain: Chain, sha: str | None) -> bool:
        """Whether a service's chain has all of its repository, or else a known commit touches its folders."""
        own = self.own_parts(chain)
        commit = self.graphs[chain.repository].get(sha or "")
        return any(not part.paths or (commit is not None and in_part(commit, part)) for part in own)

    def is_known(self, change: Change) -> bool:
        """Whether it is a pull request, or a commit that was deployed."""
        return bool(change.pull_request) or any(shipment.change is change for shipment in self.shipments)

    def chains_naming(self, key: Key, sha: str) -> list[list[Chain]]:
        """Chains of every change that has a commit, as its own, a pick, its head or what merged it."""
        found = []
        for change in self.changes:
            listed = change.pull_request.commit_shas if change.pull_request else ()
            if change.repository == key and sha in {*change.shas, *listed} and self.is_known(change):
                found.append(self.change_chains(change))
        return found

    def of_service(self, service: str, moment: datetime) -> list[Subject]:
        """A service, and its tenures at a moment."""
        held = [("tenure", t.key) for t in self.tenures if t.service == service and t.holds(moment)]
        return [("service", service), *held]

    def owners(self, service: str, moment: datetime) -> set[str]:
        return self.owned[service].owners(moment)

    def own_parts(self, chain: Chain) -> list[Part]:
        return [p for p in self.parts if p.repository == chain.repository and p.service == chain.service]

    def change_chains(self, change: Change) -> list[Chain]:
        """Chains in which a change counts: its repository's, and those of services it touches."""
        graph = self.graphs[change.repository]
        return [
            chain
            for chain in self.lines
            if chain.repository == change.repository
            and (chain.service is None or any(touches(change, part, graph) for part in self.own_parts(chain)))
        ]


def world(given: Given) -> World:
    known = repositories(given)
    own = parts(given, known)
    found = rollouts(events(given, known, own))
    lines = chains(known, own, found)
    commits = graphs(given, known)
    made = changes(given, known)
    shipped = shipments(given, lines, made, commits, own)
    owned = ownership(given, own)
    held = tenures(given, owned)
    return World(given, known, own, found, lines, commits, made, shipped, owned, held)
