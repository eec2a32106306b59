"""Mends: rollbacks, reverts and hotfixes, and the deployment that each took back."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import NamedTuple

from tests.pipelines.reference.changes import Change
from tests.pipelines.reference.deployments import Chain, Event, Rollout
from tests.pipelines.reference.incidents import Unit, services_of, unit_chains
from tests.pipelines.reference.shipping import Shipment, ancestors, environments
from tests.pipelines.reference.world import World


class Mend(NamedTuple):
    """What took a fault back, and the deployment it blames."""

    kind: str
    blamed: Rollout
    by: Rollout
    began_at: datetime
    ended_at: datetime
    chain: Chain
    version: str
    """Of a rollback what it went back to."""


def mends(world: World, unit: Unit) -> list[Mend]:
    """Everything in a unit that took a deployment back."""
    chains = unit_chains(world, unit)
    shared = services_of(world, unit) if not isinstance(unit, str) else []
    found = [] if shared else _rollbacks(world, chains)
    for chain in chains:
        shipped = [s for s in world.shipments if s.chain == chain]
        for shipment in shipped:
            if shared and any(world.services(c) for c in world.change_chains(shipment.change)):
                continue
            mend = _revert(world, shipment, shipped) or _hotfix(world, shipment)
            if mend:
                found.append(mend)
    return found


def _rollbacks(world: World, chains: list[Chain]) -> list[Mend]:
    """The next after the version that was live goes to a strict ancestor of it."""
    back: dict[str, list[tuple[Rollout, Event, Rollout, Chain]]] = defaultdict(list)
    for chain in chains:
        graph = world.graphs[chain.repository]
        of = {id(event): rollout for rollout in world.lines[chain] for event in rollout.events}
        for events in environments(world.lines[chain]).values():
            for n, event in enumerate(events[1:], 1):
                live = [e for e in events[:n] if e.finished_at <= event.started_at]
                if not live or live[-1] is not events[n - 1]:
                    continue
                before, now = (dict(e.version)[chain.repository] for e in (live[-1], event))
                in_time = event.started_at <= live[-1].finished_at + world.given.failure_window
                if in_time and now != before and now in ancestors(graph, before):
                    by = of[id(event)]
                    back[by.id].append((of[id(live[-1])], event, by, chain))
    found = []
    for every in back.values():
        blamed = max((row[0] for row in every), key=lambda rollout: (rollout.finished_at, rollout.id))
        rows = [row for row in every if row[0] is blamed]
        first = min(rows, key=lambda row: (row[1].finished_at, row[1].environment))
        found.append(
            Mend(
                "rollback",
                blamed,
                first[2],
                min(row[1].started_at for row in rows),
                min(row[1].finished_at for row in rows),
                first[3],
                dict(first[1].version)[first[3].repository],
            )
        )
    return found


def is_revert(change: Change) -> bool:
    """To revert a revert brings the change back."""
    seen: list[Change] = []
    while change.reverts is not None:
        if change in seen:
            return False
        seen.append(change)
        change = change.reverts
    return (change.kind == "revert") != (len(seen) % 2 == 1)


def _revert(world: World, shipment: Shipment, shipped: list[Shipment]) -> Mend | None:
    """Blames the first deployment with what it reverts."""
    change = shipment.change
    if change.reverts is None or not is_revert(change):
        return None
    for reverted in shipped:
        if (
            reverted.change is change.reverts
            and 0 < reverted.position < shipment.position
            and shipment.shipped_at <= reverted.shipped_at + world.given.failure_window
        ):
            return _shipped_mend("revert", reverted.rollout, shipment)
    return None


def _hotfix(world: World, shipment: Shipment) -> Mend | None:
    """Blames what was live when its first commit was authored."""
    change = shipment.change
    if not change.is_hotfix or change.reverts is not None or change.first_authored_at is None:
        return None
    line = world.lines[shipment.chain]
    live = [n for n, rollout in enumerate(line) if rollout.finished_at <= change.first_authored_at]
    if not live or shipment.position <= live[-1]:
        return None
    blamed = line[live[-1]]
    if shipment.shipped_at > blamed.finished_at + world.given.failure_window:
        return None
    return _shipped_mend("hotfix", blamed, shipment)


def _shipped_mend(kind: str, blamed: Rollout, shipment: Shipment) -> Mend:
    ended = shipment.shipped_at
    began = min(shipment.change.first_authored_at or ended, ended)
    return Mend(kind, blamed, shipment.rollout, began, ended, shipment.chain, "")
