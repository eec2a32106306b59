"""Continuous integration: how long attempts of runs take and wait, and which fail and then pass unchanged."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import product

from connectors.records import Job, PipelineRun
from tests.pipelines.reference.deployments import Chain
from tests.pipelines.reference.repositories import Key, locate
from tests.pipelines.reference.world import Seen, World

ENDED = ("success", "failed")


def located_runs(world: World) -> Iterator[tuple[str, PipelineRun, Key]]:
    for source, run in world.given.all(PipelineRun):
        key = locate(world.repositories, source, run.repository, run.repository_url)
        if key:
            yield source, run, key


def moment(run: PipelineRun) -> datetime | None:
    return run.finished_at or run.started_at or run.queued_at


def chains_of(world: World, key: Key, sha: str | None) -> list[Chain]:
    """The repository's, and those of services in which the run's commit counts."""
    named = [chain for chains in world.chains_naming(key, sha) for chain in chains] if sha else []
    return [
        chain
        for chain in world.lines
        if chain.repository == key and (chain.service is None or chain in named or world.touches(chain, sha))
    ]


def durations(world: World) -> Iterator[Seen]:
    """Start to finish of every attempt."""
    for source, run, key in located_runs(world):
        left_out, value = None, None
        if run.result not in ENDED:
            left_out = run.result
        elif run.started_at is None or run.finished_at is None:
            left_out = "undated"
        elif run.finished_at < run.started_at:
            left_out = "negative"
        else:
            value = (run.finished_at - run.started_at).total_seconds()
        yield from _seen(world, source, run, key, value, left_out)


def queues(world: World) -> Iterator[Seen]:
    """From being queued to the start of the first job."""
    jobs = jobs_of_attempts(world)
    for source, run, key in located_runs(world):
        left_out, start = first_start(run, jobs[source, run.id, run.attempt])
        value = (start - run.queued_at).total_seconds() if start and run.queued_at else None
        yield from _seen(world, source, run, key, None if left_out else value, left_out)


def jobs_of_attempts(world: World) -> dict[tuple[str, str, int], list[Job]]:
    """(source, run, attempt) → jobs."""
    jobs: dict[tuple[str, str, int], list[Job]] = defaultdict(list)
    for source, job in world.given.all(Job):
        jobs[source, job.run, job.attempt].append(job)
    return jobs


def first_start(run: PipelineRun, jobs: Iterable[Job]) -> tuple[str | None, datetime | None]:
    """Why it is not known how long an attempt was queued, else None; and when its first job started."""
    started = [
        job.started_at
        for job in jobs
        if job.result in ENDED
        and job.queued_at
        and job.started_at
        and run.queued_at
        and job.started_at >= run.queued_at
    ]
    start = min(started, default=run.started_at)
    if run.result not in ENDED:
        return run.result, start
    if run.queued_at is None or start is None:
        return "undated", start
    if not started and start == run.queued_at:
        return "not_told", start
    return "negative" if start < run.queued_at else None, start


def _seen(
    world: World, source: str, run: PipelineRun, key: Key, value: float | None, left_out: str | None
) -> Iterator[Seen]:
    at = moment(run)
    if at is None:
        return
    for chain in chains_of(world, key, run.sha):
        for subject in world.subjects(chain, at):
            yield Seen(subject, world.day(at), (source, run.id, run.attempt), value, left_out=left_out)


def flaky(world: World) -> Iterator[Seen]:
    """Commits on which a workflow, or one of its jobs, failed and then passed."""
    groups: dict[tuple[str, Key, str, str], list[PipelineRun]] = defaultdict(list)
    for source, run, key in located_runs(world):
        if run.sha is None:
            yield from _seen(world, source, run, key, None, "no_commit")
        else:
            groups[source, key, run.workflow, run.sha].append(run)
    jobs: dict[tuple[str, str], list[Job]] = defaultdict(list)
    for source, job in world.given.all(Job):
        jobs[source, job.run].append(job)
    for (source, key, workflow, sha), runs in groups.items():
        finished = [run for run in runs if run.result in ENDED and run.finished_at]
        by_name: dict[str, list[Job]] = defaultdict(list)
        for id_ in {run.id for run in runs}:
            for job in jobs[source, id_]:
                by_name[job.name].append(job)
        is_hit = fails_then_passes(finished) or any(fails_then_passes(same) for same in by_name.values())
        left_out = None
        if not finished:
            left_out = "unfinished"
        elif not is_hit and len(finished) == 1 and finished[0].result == "failed":
            left_out = "not_retried"
        dated = [run.finished_at for run in finished] or [moment(run) for run in runs]
        moments = [at for at in dated if at]
        if not moments:
            continue
        for chain in chains_of(world, key, sha):
            for subject in world.subjects(chain, min(moments)):
                thing = source, key, workflow, sha
                yield Seen(subject, world.day(min(moments)), thing, hit=is_hit, left_out=left_out)


def fails_then_passes(tries: Iterable[PipelineRun | Job]) -> bool:
    tries = list(tries)
    return any(
        failed.result == "failed"
        and passed.result == "success"
        and failed.finished_at
        and passed.finished_at
        and failed.finished_at < passed.finished_at
        for failed, passed in product(tries, tries)
    )
