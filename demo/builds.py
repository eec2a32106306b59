"""Jenkins: multibranch projects that build, and jobs that deploy."""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

from demo.actions import pushes
from demo.changes import Change
from demo.life import Life, Rollout
from demo.plan import ORGANIZATION, moment
from demo.world import Build, JenkinsJob, Stage

_BRANCH_EVENT = "jenkins.branch.BranchEventCause"
_BY_HAND = "hudson.model.Cause$UserIdCause"

_Steps = tuple[tuple[str, float], ...]
"""Names of stages, and the share of the time that each takes."""
_BUILD: _Steps = (("Checkout", 0.05), ("Build", 0.3), ("Test", 0.5), ("Publish", 0.15))
_DEPLOY: _Steps = (("Prepare", 0.1), ("Deploy", 0.7), ("Verify", 0.2))


class _Course(NamedTuple):
    """How a build goes."""

    at: int
    seconds: float
    result: str
    sha: str
    branch: str
    cause: str
    steps: _Steps


def jobs(life: Life) -> list[JenkinsJob]:
    """Its branches, those of open pull requests among them, and a job for each place it is deployed to."""
    if not life.repository.uses_jenkins or not life.repository.services:
        return []
    return _Jenkins(life).jobs()


class _Jenkins:
    """Jenkins, as far as one repository has to do with it."""

    def __init__(self, life: Life) -> None:
        self._life = life
        self._repository = life.repository
        (self._service,) = life.repository.services
        self._end = life.plan.calendar.end
        self._random = life.plan.random("jenkins", life.repository.name)
        self._folder = life.plan.teams[life.repository.team].department

    def jobs(self) -> list[JenkinsJob]:
        branch = self._repository.default_branch
        found = [self._branch(branch, [(at, sha) for at, sha, _ in self._life.landed])]
        found += [
            self._branch(f"PR-{change.number}", [push for push in pushes(change) if push[0] <= self._end])
            for change in self._life.changes
            if self._is_open(change)
        ]
        by_environment: dict[str, list[Rollout]] = defaultdict(list)
        for rollout in sorted(self._life.rollouts, key=lambda rollout: rollout.started):
            by_environment[rollout.environment].append(rollout)
        found += [self._deployments(*each) for each in sorted(by_environment.items())]
        return found

    def _is_open(self, change: Change) -> bool:
        """Whether Jenkins still has a job for it."""
        return change.merged is None and not (change.closes and change.closes <= self._end)

    def _branch(self, name: str, heads: list[tuple[int, str]]) -> JenkinsJob:
        job = JenkinsJob((self._folder, self._repository.name, name), is_branch=True)
        for at, sha in heads:
            self._try(job, at, sha)
        return job

    def _try(self, job: JenkinsJob, at: int, sha: str) -> None:
        """Build it, and again where that failed and somebody has patience."""
        random, cause = self._random, _BRANCH_EVENT
        while at <= self._end:
            result = random.choice(("FAILURE", "FAILURE", "UNSTABLE", "ABORTED"))
            if random.random() > 0.1:
                result = "SUCCESS"
            seconds = self._service.ci_seconds * random.lognormvariate(0.0, 0.22)
            self._add(job, _Course(at, seconds, result, sha, job.path[-1], cause, _BUILD))
            if result != "FAILURE" or random.random() < 0.5:
                return
            at += int(seconds) + random.randrange(120, 2400)
            cause = _BY_HAND

    def _deployments(self, environment: str, rollouts: list[Rollout]) -> JenkinsJob:
        job = JenkinsJob((self._folder, "deploy", f"{self._service.name}-{environment}"), is_branch=False)
        for one in rollouts:
            result = "SUCCESS" if one.is_success else "FAILURE"
            branch = self._repository.default_branch
            self._add(job, _Course(one.started, one.seconds, result, one.sha, branch, _BY_HAND, _DEPLOY))
        return job

    def _add(self, job: JenkinsJob, course: _Course) -> None:
        is_over = course.at + course.seconds <= self._end
        job.builds.append(
            Build(
                number=len(job.builds) + 1,
                started_at=moment(course.at),
                queued_ms=int(self._random.expovariate(1 / 9000)),
                duration_ms=int(course.seconds * 1000) if is_over else 0,
                result=course.result if is_over else None,
                sha=course.sha,
                branch=course.branch,
                remote_url=f"https://github.demo.example/{ORGANIZATION}/{self._name(course.at)}.git",
                cause=course.cause,
                stages=_stages(course) if is_over else (),
            )
        )

    def _name(self, at: int) -> str:
        """What the repository was called then."""
        renamed = self._repository.renamed
        return renamed[1] if renamed and at < renamed[0] else self._repository.name


def _stages(course: _Course) -> tuple[Stage, ...]:
    """The last step but one shows a failure, which spares the one behind it."""
    is_whole = course.result in {"SUCCESS", "UNSTABLE"}
    last = len(course.steps) - (1 if is_whole else 2)
    begun, found = float(course.at), []
    for index, (name, share) in enumerate(course.steps):
        seconds = course.seconds * share if index <= last else 0.0
        status = "SUCCESS" if index <= last else "NOT_EXECUTED"
        if index == last and not is_whole:
            status = "FAILED" if course.result == "FAILURE" else "ABORTED"
        found.append(Stage(10 + index, name, status, moment(int(begun)), int(seconds * 1000)))
        begun += seconds
    return tuple(found)
