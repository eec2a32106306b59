"""Runs of GitHub Actions: each push to a pull request and to the default branch is built."""

from __future__ import annotations

from random import Random
from typing import NamedTuple

from demo import evidence
from demo.changes import Change
from demo.hosting import first_id
from demo.life import Life
from demo.plan import GOLDEN_PATH_WORKFLOW, moment
from demo.working_time import MINUTE
from demo.world import Job, Run

SLOW_FACTOR = 1.8
"""How many times as long as usual everything takes on the slow runner image."""
RUNNER = "demo-linux"

_FAILS, _CANCELLED, _IS_RETRIED, _WAS_FLAKY = 0.09, 0.02, 0.3, 0.7
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
    due = [
        _Push(at, "pull_request", change.branch, sha, change)
        for change in life.changes
        for at, sha in pushes(change)
    ]
    due += [
        _Push(at + 3, "push", life.repository.default_branch, sha, change) for at, sha, change in life.landed
    ]
    due = sorted((push for push in due if push.at <= life.plan.calendar.end), key=lambda push: push.at)
    random = life.plan.random("actions", life.repository.name)
    return [
        run
        for number, push in enumerate(due, start=1)
        for run in _Attempts(life, random, push, number).made()
    ]


class _Push(NamedTuple):
    """Why something is run."""

    at: int
    event: str
    branch: str
    sha: str
    change: Change


class _Attempts:
    """One run, and what of it was tried again."""

    def __init__(self, life: Life, random: Random, push: _Push, number: int) -> None:
        self._life = life
        self._calendar = life.plan.calendar
        self._random = random
        self._push = push
        self._number = number
        self._id = first_id(life) + number * 10
        self._service = push.change.services[0] if push.change.services else None

    def made(self) -> list[Run]:
        random = self._random
        draw, started = random.random(), self._push.at
        conclusion = "failure" if draw < _FAILS else "cancelled" if draw < _FAILS + _CANCELLED else "success"
        found = [self._attempt(1, started, conclusion)]
        while found[-1].conclusion == "failure" and len(found) < 3 and random.random() < _IS_RETRIED:
            started = int(found[-1].updated_at.timestamp()) + random.randrange(1, 40) * MINUTE
            if started > self._calendar.end:
                break
            conclusion = "success" if random.random() < _WAS_FLAKY else "failure"
            found.append(self._attempt(len(found) + 1, started, conclusion))
        return found

    def _attempt(self, attempt: int, started: int, conclusion: str) -> Run:
        calendar, push, service = self._calendar, self._push, self._service
        jobs = self._jobs(attempt, started, conclusion)
        finished = int(jobs[-1].completed_at.timestamp()) + 2
        is_over = finished <= calendar.end
        version = service.golden_path_version(started) if service else None
        return Run(
            id=self._id,
            attempt=attempt,
            repository=self._life.repository.name,
            workflow=evidence.workflow(service, started),
            number=self._number,
            event=push.event,
            branch=push.branch,
            sha=push.sha,
            created_at=moment(push.at),
            started_at=moment(started),
            updated_at=moment(min(finished, calendar.end)),
            conclusion=conclusion if is_over else None,
            actor=push.change.author or push.change.writer,
            jobs=jobs if is_over else (),
            reusable=() if version is None else (f"{GOLDEN_PATH_WORKFLOW}@v{version}",),
        )

    def _jobs(self, attempt: int, started: int, conclusion: str) -> tuple[Job, Job]:
        """A build, then a test; both on a machine that was waited for."""
        random, id_ = self._random, self._id * 10 + attempt * 2
        factor = SLOW_FACTOR if self._calendar.slow_from <= started < self._calendar.slow_until else 1.0
        usual = self._service.ci_seconds if self._service else _OTHERS_SECONDS
        seconds = usual * random.lognormvariate(0.0, 0.22) * factor
        begun = started + 2 + int(random.expovariate(1 / 25) * factor)
        built = begun + int(seconds * _BUILD_SHARE)
        fails_early = conclusion != "success" and random.random() < 0.2
        outcome = conclusion if fails_early else "success"
        build = Job(id_, "build", (RUNNER,), moment(started), moment(begun), moment(built), outcome)
        if fails_early:
            return build, Job(id_ + 1, "test", (), moment(built), moment(built), moment(built), "skipped")
        tested = built + 4 + int(seconds * (1 - _BUILD_SHARE))
        times = moment(built), moment(built + 4), moment(tested)
        return build, Job(id_ + 1, "test", (RUNNER,), *times, conclusion)
