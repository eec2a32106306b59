"""Jenkins: multibranch projects that build, and jobs that deploy."""

from __future__ import annotations

from collections import defaultdict
from random import Random

from demo.actions import pushes
from demo.changes import Change
from demo.life import Life, Rollout
from demo.plan import ORGANIZATION, moment
from demo.world import Build, JenkinsJob, Stage

_BRANCH_EVENT = "jenkins.branch.BranchEventCause"
_BY_HAND = "hudson.model.Cause$UserIdCause"


def jobs(life: Life) -> list[JenkinsJob]:
    """Its branches, those of open pull requests among them, and a job for each place it is deployed to."""
    repository = life.repository
    if not repository.uses_jenkins or not repository.services:
        return []
    (service,) = repository.services
    random = life.plan.random("jenkins", repository.name)
    folder = life.plan.teams[repository.team].department
    default = JenkinsJob((folder, repository.name, repository.default_branch), is_branch=True)
    for at, sha, _ in life.landed:
        default.builds += _built(life, random, len(default.builds) + 1, at, sha, default.path[-1])
    found = [default]
    found += [
        _pull_request(life, random, folder, change)
        for change in life.changes
        if change.merged is None and not (change.closes and change.closes <= life.plan.calendar.end)
    ]
    by_environment: dict[str, list[Rollout]] = defaultdict(list)
    for rollout in life.rollouts:
        by_environment[rollout.environment].append(rollout)
    for environment, rollouts in sorted(by_environment.items()):
        job = JenkinsJob((folder, "deploy", f"{service.name}-{environment}"), is_branch=False)
        job.builds = _deployed(life, random, sorted(rollouts, key=lambda rollout: rollout.started))
        found.append(job)
    return found


def remote(life: Life, at: int) -> str:
    """Address that Jenkins clones from: of a repository renamed midway, the old one at first."""
    renamed = life.repository.renamed
    name = renamed[1] if renamed and at < renamed[0] else life.repository.name
    return f"https://github.demo.example/{ORGANIZATION}/{name}.git"


def _pull_request(life: Life, random: Random, folder: str, change: Change) -> JenkinsJob:
    job = JenkinsJob((folder, life.repository.name, f"PR-{change.number}"), is_branch=True)
    for at, sha in pushes(change):
        if at <= life.plan.calendar.end:
            job.builds += _built(life, random, len(job.builds) + 1, at, sha, job.path[-1])
    return job


def _built(life: Life, random: Random, number: int, at: int, sha: str, branch: str) -> list[Build]:
    """A build, and another where the first failed and somebody tried again."""
    (service,) = life.repository.services
    found: list[Build] = []
    cause = _BRANCH_EVENT
    while at <= life.plan.calendar.end:
        draw = random.random()
        result = "SUCCESS" if draw > 0.1 else random.choice(("FAILURE", "FAILURE", "UNSTABLE", "ABORTED"))
        seconds = service.ci_seconds * random.lognormvariate(0.0, 0.22)
        build = _build(life, random, number + len(found), at, seconds, result, sha, branch, cause, _STEPS)
        found.append(build)
        if build.result != "FAILURE" or random.random() < 0.5:
            break
        at += int(seconds) + random.randrange(120, 2400)
        cause = _BY_HAND
    return found


_STEPS = (("Checkout", 0.05), ("Build", 0.3), ("Test", 0.5), ("Publish", 0.15))
_DEPLOY_STEPS = (("Prepare", 0.1), ("Deploy", 0.7), ("Verify", 0.2))


def _deployed(life: Life, random: Random, rollouts: list[Rollout]) -> list[Build]:
    found = []
    for number, one in enumerate(rollouts, start=1):
        result = "SUCCESS" if one.is_success else "FAILURE"
        seconds = one.finished - one.started
        ref = life.repository.default_branch
        found.append(
            _build(life, random, number, one.started, seconds, result, one.sha, ref, _BY_HAND, _DEPLOY_STEPS)
        )
    return found


def _build(
    life: Life,
    random: Random,
    number: int,
    at: int,
    seconds: float,
    result: str,
    sha: str,
    branch: str,
    cause: str,
    steps: tuple[tuple[str, float], ...],
) -> Build:
    is_over = at + seconds <= life.plan.calendar.end
    stages = []
    begun = float(at)
    # The last step of all shows how it ended; a failure spares the steps behind it.
    last = len(steps) - (1 if result in {"SUCCESS", "UNSTABLE"} else 2)
    for index, (name, share) in enumerate(steps):
        length = seconds * share if index <= last else 0.0
        status = "SUCCESS"
        if index > last:
            status = "NOT_EXECUTED"
        elif index == last and result in {"FAILURE", "ABORTED"}:
            status = "FAILED" if result == "FAILURE" else "ABORTED"
        stages.append(Stage(10 + index, name, status, moment(int(begun)), int(length * 1000)))
        begun += length
    return Build(
        number=number,
        started_at=moment(at),
        queued_ms=int(random.expovariate(1 / 9000)),
        duration_ms=int(seconds * 1000) if is_over else 0,
        result=result if is_over else None,
        sha=sha,
        branch=branch,
        remote_url=remote(life, at),
        cause=cause,
        stages=tuple(stages) if is_over else (),
    )
