"""A repository's life as its host keeps it: pull requests, deployments, releases, issues."""

from __future__ import annotations

from random import Random

from demo import evidence
from demo.changes import Change
from demo.life import Life, Rollout
from demo.plan import ACTIONS_BOT, RELEASE_BOT, moment
from demo.working_time import MINUTE
from demo.world import Deployment, Issue, Person, PullRequest, Release, Repository, Review


def first_id(life: Life) -> int:
    """Where the ids of what hangs on the repository begin; no two repositories share one."""
    return (life.repository.id - 710_000_000) * 100_000 + 1_000_000_000


def hosted(life: Life) -> Repository:
    """What the host would show of it, but for its CI runs."""
    plan = life.repository
    random = life.plan.random("host", plan.name)
    pull_requests = [_pull_request(life, change, random) for change in life.changes]
    deployments = [] if plan.uses_jenkins else _deployments(life, random)
    releases = [] if plan.uses_jenkins else _releases(life)
    issues = _issues(life)
    pushed = life.tip_at
    for change in life.changes:
        pushed = max(pushed, *(commit.committed_at for commit in change.commits))
    for at, _, _ in life.tags:
        pushed = max(pushed, moment(at))
    is_old = plan.archived or plan.is_empty
    return Repository(
        id=plan.id,
        name=plan.name,
        default_branch=plan.default_branch,
        created_at=moment(plan.created),
        pushed_at=pushed,
        updated_at=max([pushed, *(each.updated_at for each in pull_requests)]),
        archived=plan.archived,
        fork=plan.fork,
        is_empty=plan.is_empty,
        former_names=(plan.renamed[1],) if plan.renamed else (),
        topics=() if is_old else (life.plan.teams[plan.team].department,),
        files={} if plan.is_empty else evidence.files(plan, life.tip_at.timestamp()),
        pull_requests=pull_requests,
        deployments=deployments,
        releases=releases,
        issues=issues,
    )


def _pull_request(life: Life, change: Change, random: Random) -> PullRequest:
    end = life.plan.calendar.end
    closed = change.merged or (change.closes if change.closes and change.closes <= end else None)
    reviews = [
        Review(first_id(life) + change.number * 20 + index, author, state, moment(at))
        for index, (at, author, state) in enumerate(change.reviews)
        if at <= min(end, closed or end)
    ]
    is_ready = change.ready is None or change.ready <= end
    commits = tuple(commit for commit in change.commits if commit.authored_at <= moment(closed or end))
    times = [change.opened, change.ready if change.ready and is_ready else 0, closed or 0]
    updated = max(
        moment(max(times)),
        *(commit.committed_at for commit in commits),
        *(each.submitted_at for each in reviews),
    )
    size = random.lognormvariate(3.6, 1.2)
    return PullRequest(
        repository=life.repository.name,
        number=change.number,
        author=change.author,
        title=change.title,
        base_ref=life.repository.default_branch,
        head_ref=change.branch,
        head_sha=commits[-1].sha,
        merge_sha=change.merge_sha,
        is_draft=not is_ready and closed is None,
        opened_at=moment(change.opened),
        ready_at=moment(change.ready) if change.ready and is_ready else None,
        merged_at=moment(change.merged) if change.merged else None,
        closed_at=moment(closed) if closed else None,
        updated_at=updated,
        additions=1 + int(size),
        deletions=int(size * random.random()),
        changed_files=1 + int(size / 30) + int(random.expovariate(0.7)),
        labels=change.labels,
        commits=commits,
        reviews=tuple(reviews),
        reverts=change.reverts.number if change.reverts else None,
    )


def _deployments(life: Life, random: Random) -> list[Deployment]:
    """Each with its statuses; a success makes the one before in its environment inactive."""
    retired: dict[int, int] = {}
    live: dict[str, int] = {}
    rollouts = sorted(life.rollouts, key=lambda rollout: rollout.started)
    for index in sorted(range(len(rollouts)), key=lambda index: rollouts[index].finished):
        one = rollouts[index]
        if one.is_success:
            if (before := live.get(one.environment)) is not None:
                retired[before] = one.finished + 2
            live[one.environment] = index
    return [
        _deployment(life, first_id(life) + 50_000 + index, one, retired.get(index), random)
        for index, one in enumerate(rollouts)
    ]


def _deployment(life: Life, id_: int, rollout: Rollout, retired: int | None, random: Random) -> Deployment:
    created = rollout.started - 15
    is_manual = rollout.service.golden_path_version(created) is None and random.random() < 0.4
    creator = life.plan.person(random, rollout.service.owner(created), created) if is_manual else ACTIONS_BOT
    end = "success" if rollout.is_success else "error" if random.random() < 0.1 else "failure"
    course = [("queued", created), ("in_progress", rollout.started), (end, rollout.finished)]
    if retired:
        course.append(("inactive", retired))
    statuses = tuple((state, moment(at)) for state, at in course if at <= life.plan.calendar.end)
    return Deployment(
        id=id_,
        repository=life.repository.name,
        environment=rollout.environment,
        sha=rollout.sha,
        ref=rollout.ref,
        creator=creator,
        created_at=moment(created),
        updated_at=statuses[-1][1],
        statuses=statuses,
    )


def _releases(life: Life) -> list[Release]:
    return [
        Release(
            id=first_id(life) + 90_000 + index,
            repository=life.repository.name,
            tag=tag,
            sha=sha,
            author=RELEASE_BOT,
            published_at=moment(min(at + MINUTE, life.plan.calendar.end)),
            is_prerelease="-" in tag,
        )
        for index, (at, tag, sha) in enumerate(life.tags)
    ]


def _issues(life: Life) -> list[Issue]:
    found = [
        _issue(life, each.number, each.reporter, each.title, ("bug",), each.opened, each.closed)
        for each in life.reports
    ]
    if life.repository.has_incident_issues:
        for trouble in life.troubles:
            title = f"{trouble.service.name} does not answer"
            found.append(
                _issue(
                    life,
                    trouble.number,
                    trouble.reporter,
                    title,
                    ("incident",),
                    trouble.opened,
                    trouble.resolved,
                )
            )
    return sorted(found, key=lambda issue: issue.number)


def _issue(
    life: Life,
    number: int,
    author: Person,
    title: str,
    labels: tuple[str, ...],
    opened: int,
    closed: int | None,
) -> Issue:
    closed_at = moment(closed) if closed and closed <= life.plan.calendar.end else None
    return Issue(
        repository=life.repository.name,
        number=number,
        author=author,
        title=title,
        labels=labels,
        opened_at=moment(opened),
        closed_at=closed_at,
        updated_at=closed_at or moment(opened),
    )
