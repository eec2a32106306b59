"""Which deployment of a chain shipped each change, and how long that took."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from tests.pipelines.reference.changes import Change, Graph, touches
from tests.pipelines.reference.deployments import Chain, Event, Rollout
from tests.pipelines.reference.given import Given
from tests.pipelines.reference.repositories import Key, Part

SILENT = timedelta(days=90)
"""An environment that nothing reached for this long is excused."""


@dataclass(frozen=True)
class Shipment:
    """The first arrival of a change in production, in one chain."""

    chain: Chain
    change: Change
    rollout: Rollout
    position: int
    """Of the rollout in the chain, from 0."""
    left_out: str | None
    """Why it has no lead time that counts: baseline, bot, undated or negative."""
    lead_time: float | None
    """Seconds; None where left out."""
    fully_shipped_at: datetime | None

    @property
    def shipped_at(self) -> datetime:
        return self.rollout.finished_at


def ancestors(graph: Graph, sha: str) -> set[str]:
    """A commit of the graph and everything it descends from; empty for one that is not there."""
    seen: set[str] = set()
    waiting = [sha]
    while waiting:
        commit = graph.get(waiting.pop())
        if commit is not None and commit.sha not in seen:
            seen.add(commit.sha)
            waiting.extend(commit.parents)
    return seen


def first_with(change: Change, contained: list[set[str]]) -> int | None:
    """Position of the first of some versions, given by the commits each contains, that has the change.

    It has it with the commit that merged it, with its head, or with all its commits or picks of them.
    """

    def first(sha: str | None) -> int | None:
        return next((n for n, commits in enumerate(contained) if sha in commits), None)

    found = []
    if change.pull_request:
        merge, head = change.pull_request.merge_sha, change.pull_request.head_sha
        found += [first(merge), first(head)]
        # A pick of a merge commit brings all of it, one of the last of several commits does not.
        if merge not in change.commits:
            found += [first(pick) for pick in change.picks.get(merge or "", ())]
    each = []
    for sha in change.commits:
        arrivals = [first(one) for one in (sha, *change.picks.get(sha, ()))]
        each.append(min((n for n in arrivals if n is not None), default=None))
    if each and all(n is not None for n in each):
        found.append(max(n for n in each if n is not None))
    return min((n for n in found if n is not None), default=None)


def shipments(
    given: Given,
    lines: dict[Chain, list[Rollout]],
    changes: list[Change],
    graphs: Mapping[Key, Graph],
    parts: list[Part],
) -> list[Shipment]:
    found = []
    for chain, line in lines.items():
        graph = graphs[chain.repository]
        contained = [ancestors(graph, rollout.shas[chain.repository]) for rollout in line]
        own = [p for p in parts if p.repository == chain.repository and p.service == chain.service]
        for change in changes:
            if change.repository != chain.repository:
                continue
            if chain.service is not None and not any(touches(change, part, graph) for part in own):
                continue
            position = first_with(change, contained)
            if position is None:
                continue
            rollout = line[position]
            left_out, seconds = _lead_time(given, change, rollout, position)
            reached = environments(line) if chain.is_leaf else {}
            full = fully_shipped_at(change, rollout.events[0], reached, graph, chain.repository)
            found.append(Shipment(chain, change, rollout, position, left_out, seconds, full))
    return found


def _lead_time(
    given: Given, change: Change, rollout: Rollout, position: int
) -> tuple[str | None, float | None]:
    if position == 0:
        return "baseline", None
    if change.is_bot and not given.include_bots:
        return "bot", None
    if change.first_authored_at is None:
        return "undated", None
    seconds = (rollout.finished_at - change.first_authored_at).total_seconds()
    return ("negative", None) if seconds < 0 else (None, seconds)


def environments(line: list[Rollout]) -> dict[str, list[Event]]:
    """Environment → what reached it, in order of finish."""
    found: dict[str, list[Event]] = {}
    for event in sorted((e for rollout in line for e in rollout.events), key=lambda e: e.order):
        found.setdefault(event.environment, []).append(event)
    return found


def fully_shipped_at(
    change: Change, shipping: Event, reached: dict[str, list[Event]], graph: Graph, repository: Key
) -> datetime | None:
    """When the last environment that was alive as it first shipped has it; None while one has not.

    Alive is an environment reached at most 90 days before, and the one that was reached then.
    """
    arrivals = []
    for environment, events in reached.items():
        before = [e for e in events if e.finished_at <= shipping.finished_at]
        is_alive = bool(before) and shipping.finished_at - before[-1].finished_at <= SILENT
        if not is_alive and environment != shipping.environment:
            continue
        contained = [ancestors(graph, dict(e.version)[repository]) for e in events]
        position = first_with(change, contained)
        if position is None:
            return None
        arrivals.append(events[position].finished_at)
    return max(arrivals, default=None)
