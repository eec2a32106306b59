"""Waiting for CI: when, while a pull request was open, runs on its commits were queued or running."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from connectors.records import Job, PipelineRun, PullRequest
from tests.pipelines.reference.changes import Change
from tests.pipelines.reference.ci import first_start, jobs_of_attempts, located_runs
from tests.pipelines.reference.world import Seen, World

Span = tuple[datetime, datetime]
Tried = tuple[PipelineRun, list[Job]]
"""An attempt of a run, and its jobs."""


class Wait(NamedTuple):
    """Seconds of a pull request, or why there are none."""

    waited: float | None = None
    queued: float | None = None
    """None where no run's tool tells when it was only queued."""
    rerun: float | None = None
    left_out: str | None = None


def waits(world: World) -> Iterator[Seen]:
    """Every pull request that is a change, by the day it was merged."""
    for change, found in every_wait(world):
        assert change.pull_request
        assert change.pull_request.merged_at
        merged = change.pull_request.merged_at
        for chain in world.change_chains(change):
            for subject in world.subjects(chain, merged):
                yield Seen(subject, world.day(merged), change.id, found.waited, left_out=found.left_out)


def every_wait(world: World) -> Iterator[tuple[Change, Wait]]:
    runs, jobs = [*located_runs(world)], jobs_of_attempts(world)
    for change in world.changes:
        if pull := change.pull_request:
            assert pull.merged_at
            listed = {*pull.commit_shas, pull.head_sha} - {None}
            own = [
                (run, jobs[source, run.id, run.attempt])
                for source, run, key in runs
                if key == change.repository
                and run.sha
                and (
                    run.sha in listed
                    or (run.sha == pull.merge_sha and run.finished_at and run.finished_at <= pull.merged_at)
                )
            ]
            is_bot = pull.is_bot and not world.given.include_bots
            yield change, Wait(left_out="bot") if is_bot else wait(pull, own)


def wait(pull: PullRequest, tried: Iterable[Tried]) -> Wait:
    assert pull.merged_at
    if pull.opened_at > pull.merged_at:
        return Wait(left_out="negative")
    faults: list[str] = []
    every: list[Span] = []
    running: list[Span] = []
    first: list[Span] = []
    is_found = is_told = False
    for run, jobs in tried:
        began, ended = run.queued_at or run.started_at, run.finished_at
        if run.result == "skipped" or (began and began >= pull.merged_at):
            continue
        if not (began or ended):
            continue  # no moment at all: it is no run that anything counts
        is_found = True
        if run.result == "running":
            faults.append("running")
        elif not began or not ended:
            faults.append("undated")
        elif ended < began:
            faults.append("negative")
        else:
            unknown, first_started = first_start(run, jobs)
            started = (run.started_at if unknown else first_started) or began
            is_told |= unknown is None or bool(run.queued_at and started > run.queued_at)
            every.append((began, ended))
            running.append((max(began, started), ended))
            if run.attempt == 1:
                first.append((began, ended))
    if not is_found:
        return Wait(left_out="no_run")
    if faults:
        return Wait(left_out=min(faults))
    opened, merged = pull.opened_at, pull.merged_at
    waited, ran, in_first = (covered(spans, opened, merged) for spans in (every, running, first))
    return Wait(waited, waited - ran if is_told else None, waited - in_first)


def covered(spans: Iterable[Span], since: datetime, until: datetime) -> float:
    """Seconds between two moments that are in any of the spans."""
    total, reached = 0.0, since
    for began, ended in sorted(spans):
        last = min(ended, until)
        if last > max(began, reached):
            total += (last - max(began, reached)).total_seconds()
            reached = last
    return total
