"""Deployments to production: events, the rollouts they belong to, and each chain in order.

An *event* is one success in one production environment. Events of one unit (a service or none, and
the repositories) that bring the same version to several environments within a day are one deployment.
A *chain* is one line of deployments: a repository's, or that of one of several services in it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from connectors.records import Deployment, Job, PipelineRun, Ref
from tests.pipelines.reference.given import Given
from tests.pipelines.reference.repositories import Key, Known, Part, locate

TOGETHER = timedelta(hours=24)
"""Environments reached within this are one rollout."""


@dataclass(frozen=True)
class Event:
    """A version that reached one production environment."""

    id: str
    environment: str
    service: str | None
    version: tuple[tuple[Key, str], ...]
    """Sorted (repository, sha)."""
    started_at: datetime
    finished_at: datetime
    names: frozenset[str]
    """What tools call it."""

    @property
    def unit(self) -> tuple[str | None, tuple[Key, ...]]:
        return self.service, tuple(key for key, _ in self.version)

    @property
    def order(self) -> tuple[datetime, str, str]:
        return self.finished_at, self.id, self.environment


@dataclass(eq=False)
class Rollout:
    """One deployment: every event of it, first finished first."""

    id: str
    events: list[Event] = field(default_factory=list)

    @property
    def finished_at(self) -> datetime:
        return self.events[0].finished_at

    @property
    def started_at(self) -> datetime:
        return self.events[0].started_at

    @property
    def service(self) -> str | None:
        return self.events[0].service

    @property
    def shas(self) -> dict[Key, str]:
        return dict(self.events[0].version)


class Chain(NamedTuple):
    """A line of deployments of a repository, or of one service in it."""

    repository: Key
    service: str | None
    is_leaf: bool
    """Not divided into the chains of several services."""


class Located(NamedTuple):
    """A recorded deployment and where it belongs."""

    source: str
    record: Deployment
    repository: Key
    service: str | None
    is_production: bool


def matches(patterns: tuple[str, ...], text: str) -> bool:
    return any(re.fullmatch(pattern, text, re.IGNORECASE) for pattern in patterns)


def located(given: Given, known: dict[Key, Known], parts: list[Part]) -> list[Located]:
    """Recorded deployments whose repository is known, whatever became of them.

    A record that names only a service is of that service's repository where it has just one.
    """
    found = []
    for source, record in given.all(Deployment):
        key = locate(known, source, record.repository, record.repository_url)
        own = [part.repository for part in parts if part.service == record.service]
        names_only_a_service = record.repository is None and record.repository_url is None
        if names_only_a_service and len(set(own)) == 1:
            key = own[0]
        if key is None:
            continue
        is_production = matches(given.environments, record.environment)
        if given.kind_of(source) == "push" and record.is_production is not None:
            is_production = record.is_production
        service = service_of(parts, key, record.service, record.environment)
        found.append(Located(source, record, key, service, is_production))
    return found


def service_of(parts: list[Part], key: Key, said: str | None, environment: str) -> str | None:
    """Of several: what the record says, else the longest that the environment's name ends in."""
    services = sorted({part.service for part in parts if part.repository == key})
    if len(services) < 2:
        return None
    if said in services:
        return said
    ends = [s for s in services if re.search(rf"[-_/]{re.escape(s)}$", environment, re.IGNORECASE)]
    return max(ends, key=len, default=None)


def events(given: Given, known: dict[Key, Known], parts: list[Part]) -> list[Event]:
    """Every event, re-runs too: recorded deployments, else jobs, else tags, by repository."""
    grouped: dict[tuple[str, str], list[Located]] = defaultdict(list)
    recorded: set[Key] = set()
    for one in located(given, known, parts):
        record = one.record
        if one.is_production and record.status == "success" and record.sha and record.finished_at:
            recorded.add(one.repository)
            name = record.id if record.rollout is None else record.rollout
            grouped[f"{one.source}:{name}", record.environment].append(one)
    found = [_event(id_, environment, group) for (id_, environment), group in grouped.items()]
    by_job = [event for event in _job_events(given, known) if event.version[0][0] not in recorded]
    recorded |= {event.version[0][0] for event in by_job}
    by_tag = [event for event in _tag_events(given, known) if event.version[0][0] not in recorded]
    return sorted([*found, *by_job, *by_tag], key=lambda event: event.order)


def _event(id_: str, environment: str, group: list[Located]) -> Event:
    """Of several repositories that one rollout brings: over when the last is there.

    Where its records name several services, it is of the first by name.
    """
    starts, finishes = [], []
    for one in group:
        finish = one.record.finished_at
        assert finish
        finishes.append(finish)
        starts.append(min(one.record.started_at or one.record.created_at, finish))
    return Event(
        id_,
        environment,
        min((one.service for one in group if one.service), default=None),
        tuple(sorted({(one.repository, one.record.sha or "") for one in group})),
        min(starts),
        max(finishes),
        frozenset({id_.partition(":")[2], *(one.record.id for one in group)}),
    )


def _deploying(given: Given) -> Iterator[tuple[str, PipelineRun, PipelineRun | Job]]:
    """(id, run, itself or its job) of jobs and runs that by name or workflow deploy."""
    runs = {(source, run.id, run.attempt): run for source, run in given.all(PipelineRun)}
    for (source, _, _), run in runs.items():
        if matches(given.jobs, run.workflow):
            yield f"{source}:{run.id}#{run.attempt}", run, run
    for source, job in given.all(Job):
        if (source, job.run, job.attempt) in runs and matches(given.jobs, job.name):
            yield f"{source}:{job.id}", runs[source, job.run, job.attempt], job


def _job_events(given: Given, known: dict[Key, Known]) -> Iterator[Event]:
    for id_, run, what in _deploying(given):
        key = locate(known, id_.partition(":")[0], run.repository, run.repository_url)
        if key and run.sha and what.result == "success" and what.finished_at:
            start = what.started_at or what.queued_at or what.finished_at
            start = min(start, what.finished_at)
            names = frozenset({id_.partition(":")[2]})
            yield Event(id_, "production", None, ((key, run.sha),), start, what.finished_at, names)


def _tag_events(given: Given, known: dict[Key, Known]) -> Iterator[Event]:
    releases = {source.name: source.releases for source in given.sources}
    for source, ref in given.all(Ref):
        pattern = releases.get(source)
        key = (source, ref.repository)
        if ref.kind == "tag" and ref.at and pattern and key in known and re.search(pattern, ref.name):
            name = f"{ref.repository}@{ref.name}"
            version = ((key, ref.sha),)
            yield Event(f"{source}:{name}", "production", None, version, ref.at, ref.at, frozenset({name}))


def rollouts(events: list[Event]) -> list[Rollout]:
    """Deployments in order of first finish; an event of the version that is live there already is none."""
    live: dict[object, object] = {}
    latest: dict[object, Rollout] = {}
    found: list[Rollout] = []
    for event in sorted(events, key=lambda event: event.order):
        place = event.unit, event.environment
        if live.get(place) == event.version:
            continue
        live[place] = event.version
        what = event.unit, event.version
        before = latest.get(what)
        if (
            before
            and event.finished_at - before.finished_at <= TOGETHER
            and event.environment not in {reached.environment for reached in before.events}
        ):
            before.events.append(event)
        else:
            is_taken = any(rollout.id == event.id for rollout in found)
            id_ = f"{event.id}@{event.environment}" if is_taken else event.id
            latest[what] = Rollout(id_, [event])
            found.append(latest[what])
    return sorted(found, key=lambda rollout: (rollout.finished_at, rollout.id))


def chains(known: dict[Key, Known], parts: list[Part], found: list[Rollout]) -> dict[Chain, list[Rollout]]:
    """Every chain with its deployments in order; the first one is its baseline."""
    lines: dict[Chain, list[Rollout]] = {}
    for key in known:
        own = [part for part in parts if part.repository == key]
        services = sorted({part.service for part in own})
        here = [rollout for rollout in found if key in rollout.shas]
        is_divided = any(part.paths for part in own) or (
            len(services) > 1 and any(rollout.service in services for rollout in here)
        )
        lines[Chain(key, None, not is_divided)] = here
        for service in services if is_divided else ():
            lines[Chain(key, service, True)] = [r for r in here if r.service in (None, service)]
    return lines


class Attempt(NamedTuple):
    """A try to bring something to production, whatever became of it."""

    id: str
    chain: Chain
    result: str
    ended_at: datetime


def attempts(
    given: Given, known: dict[Key, Known], parts: list[Part], lines: dict[Chain, list[Rollout]]
) -> Iterator[Attempt]:
    """Recorded ones; of repositories without a recorded success also jobs and runs that deploy."""
    over = ("success", "failed", "cancelled", "skipped")
    recorded = {
        one.repository
        for one in located(given, known, parts)
        if one.is_production and one.record.status == "success" and one.record.sha and one.record.finished_at
    }
    found: list[tuple[str, Key, str | None, str, datetime | None]] = []
    for one in located(given, known, parts):
        record = one.record
        if one.is_production:
            ended = record.finished_at or record.started_at or record.created_at
            found.append((f"{one.source}:{record.id}", one.repository, one.service, record.status, ended))
    for id_, run, what in _deploying(given):
        key = locate(known, id_.partition(":")[0], run.repository, run.repository_url)
        if key and key not in recorded:
            last = what.finished_at or what.started_at or what.queued_at
            found.append((id_, key, None, what.result, last))
    for id_, key, service, result, ended_at in found:
        for chain in lines:
            is_here = chain.repository == key and (service is None or chain.service in (None, service))
            if is_here and ended_at and result in over:
                yield Attempt(id_, chain, result, ended_at)
