"""Runs of GitHub Actions: each push to a pull request and to the default branch is built."""

from __future__ import annotations

from random import Random

from demo import evidence
from demo.changes import Change
from demo.hosting import first_id
from demo.life import Life
from demo.plan import GOLDEN_PATH_WORKFLOW, ServicePlan, moment
from demo.working_time import MINUTE
from demo.world import Job, Run

SLOW_FACTOR = 1.8
"""How many times as long as usual everything takes on the slow runner image."""
RUNNER = "demo-linux"

_FAILS, _CANCELLED, _IS_RETRIED, _WAS_FLAKY = 0.09, 0.02, 0.45, 0.7
_OTHERS_SECONDS = 240.0
_BUILD_SHARE = 0.35


def pushes(change: Change) -> list[tuple[int, str]]:
    """(at, head) of each push to a pull request's branch."""
    last = change.merged or change.closes
    found: dict[int, str] = {}
    for commit in change.commits:
        at = int(commit.authored_at.timestamp())
        if last is None or at <= last:
            found[max(change.opened, at + 20)] = commit.sha
    return list(found.items())


def runs(life: Life) -> list[Run]:
    """All attempts of all runs, oldest first."""
    if life.repository.uses_jenkins or life.repository.is_empty:
        return []
    branch = life.repository.default_branch
    due = [
        (at, "pull_request", change.branch, sha, change)
        for change in life.changes
        for at, sha in pushes(change)
    ]
    due += [(at + 3, "push", branch, sha, change) for at, sha, change in life.landed]
    due.sort(key=lambda each: each[0])
    random = life.plan.random("actions", life.repository.name)
    found: list[Run] = []
    for index, (at, event, on, sha, change) in enumerate(due):
        if at <= life.plan.calendar.end:
            service = change.services[0] if change.services else None
            found += _Attempts(life, random, service, first_id(life) + index * 10, index + 1).of(
                at, event, on, sha, change
            )
    return found


class _Attempts:
    """One run, and what of it was tried again."""

    def __init__(
        self, life: Life, random: Random, service: ServicePlan | None, id_: int, number: int
    ) -> None:
        self._life = life
        self._random = random
        self._service = service
        self._id = id_
        self._number = number

    def of(self, at: int, event: str, branch: str, sha: str, change: Change) -> list[Run]:
        random, found = self._random, []
        draw = random.random()
        conclusion = "failure" if draw < _FAILS else "cancelled" if draw < _FAILS + _CANCELLED else "success"
        created, attempt = at, 1
        while True:
            run = self._run(created, at, attempt, conclusion, event, branch, sha, change)
            found.append(run)
            if conclusion != "failure" or run.conclusion is None or attempt == 3:
                return found
            if random.random() > _IS_RETRIED:
                return found
            created = int(run.updated_at.timestamp()) + random.randrange(1, 40) * MINUTE
            if created > self._life.plan.calendar.end:
                return found
            attempt += 1
            conclusion = "success" if random.random() < _WAS_FLAKY else "failure"

    def _run(
        self,
        started: int,
        created: int,
        attempt: int,
        conclusion: str,
        event: str,
        branch: str,
        sha: str,
        change: Change,
    ) -> Run:
        calendar, random, service = self._life.plan.calendar, self._random, self._service
        is_slow = calendar.slow_from <= started < calendar.slow_until
        factor = SLOW_FACTOR if is_slow else 1.0
        usual = service.ci_seconds if service else _OTHERS_SECONDS
        seconds = usual * random.lognormvariate(0.0, 0.22) * factor
        queued = int(random.expovariate(1 / 25) * factor) + 2
        jobs = self._jobs(attempt, started, queued, seconds, conclusion)
        finished = int(jobs[-1].completed_at.timestamp()) + 2
        is_over = finished <= calendar.end
        version = service.golden_path_version(started) if service else None
        return Run(
            id=self._id,
            attempt=attempt,
            repository=self._life.repository.name,
            workflow=evidence.workflow(service, started),
            number=self._number,
            event=event,
            branch=branch,
            sha=sha,
            created_at=moment(created),
            started_at=moment(started),
            updated_at=moment(min(finished, calendar.end)),
            conclusion=conclusion if is_over else None,
            actor=change.author or change.writer,
            jobs=jobs if is_over else jobs[:0],
            reusable=() if version is None else (f"{GOLDEN_PATH_WORKFLOW}@v{version}",),
        )

    def _jobs(
        self, attempt: int, started: int, queued: int, seconds: float, conclusion: str
    ) -> tuple[Job, ...]:
        """A build, then a test; both on a machine that was waited for."""
        fails_early = conclusion != "success" and self._random.random() < 0.2
        begun = started + queued
        built = begun + int(seconds * _BUILD_SHARE)
        tested = built + 4 + int(seconds * (1 - _BUILD_SHARE))
        id_ = self._id * 10 + attempt * 2
        build = Job(
            id_,
            "build",
            (RUNNER,),
            moment(started),
            moment(begun),
            moment(built),
            conclusion if fails_early else "success",
        )
        if fails_early:
            return build, Job(id_ + 1, "test", (), moment(built), moment(built), moment(built), "skipped")
        return build, Job(
            id_ + 1, "test", (RUNNER,), moment(built), moment(built + 4), moment(tested), conclusion
        )
