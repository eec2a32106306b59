"""Pull requests as their authors mean them to go: who, what, and when which step is due."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import accumulate
from random import Random

from demo.plan import DEPENDABOT, GOLDEN_PATH, REVIEW_BOT, Plan, RepositoryPlan, ServicePlan
from demo.words import bump, change_title, slug
from demo.working_time import DAY, HOUR, MINUTE, instant, is_working, nearest, worked
from demo.world import Commit, Person

GOLDEN_PATH_FACTOR = 0.70
"""What the golden path leaves of the time from the first commit to production."""
DRIFT = 0.12
"""By how much everybody grew slower from the start to the end."""

_USUAL = 44 * HOUR
"""Median time from the first commit to production."""
_SPREAD = 0.7
_SHORTEST = 100 * MINUTE
_ROLLOUT = 40 * MINUTE
"""What the rollouts themselves take of that time."""
_REACH = 25 * HOUR
"""Working time by which a change is moved to where its end suits people."""
_STAGES = (3.0, 1.6, 2.4, 1.4)
"""How that time is divided, on average: coding, waiting for a review, reviewing, waiting for a deployment."""


@dataclass(slots=True, eq=False)
class Change:
    """A pull request."""

    services: tuple[ServicePlan, ...]
    """Whose files it changes."""
    author: Person | None
    """None where the account is gone."""
    writer: Person
    """Author of its commits."""
    title: str
    branch: str
    labels: tuple[str, ...]
    commit_times: list[int]
    opened: int
    ready: int | None
    """When it leaves draft; None where it never is one."""
    reviews: list[tuple[int, Person | None, str]]
    merges: int | None
    closes: int | None
    """When it is closed without a merge."""
    live: int | None = None
    """When it is to be in production; None for as soon as it is merged."""
    reverts: Change | None = None
    number: int = 0
    base: tuple[str, dict[str, int]] = ("", {})
    """Commit it branches off, and its state."""
    commits: list[Commit] = field(default_factory=list)
    merge_sha: str | None = None
    merged: int | None = None


def pace(plan: Plan, service: ServicePlan | None, at: int) -> float:
    """How many times the usual time a change takes that begins now."""
    calendar = plan.calendar
    found = 1 + DRIFT * (at - calendar.start) / (calendar.end - calendar.start)
    if service:
        found *= plan.teams[service.team].pace * service.pace
        if service.golden_path_version(at) is not None:
            found *= GOLDEN_PATH_FACTOR
    return found


def times(
    plan: Plan, random: Random, service: ServicePlan | None, begin: float, over: float
) -> tuple[int, int]:
    """When an ordinary change begins, between two counts of working seconds, and when it is to be live.

    The time between is drawn first and kept, so that no working hours blur what the golden path does to it.
    """
    length = random.lognormvariate(math.log(_USUAL), _SPREAD)
    wanted = random.uniform(begin, over)
    earliest, latest = max(begin, wanted - _REACH), min(over, wanted + _REACH)
    for _ in range(12):
        at = instant(random.uniform(earliest, latest))
        live = at + max(_SHORTEST, int(length * pace(plan, service, at)))
        if is_working(live):
            return at, live
    # No hour suits those of about twelve hours: sooner or later, as often the one as the other.
    return at, max(at + _SHORTEST, nearest(live, random.random()))


def draw(
    plan: Plan,
    random: Random,
    repository: RepositoryPlan,
    services: tuple[ServicePlan, ...],
    at: int,
    live: int,
) -> Change:
    """An ordinary change whose first commit is authored at `at`, and which is to be live at `live`."""
    service = services[0] if services else None
    team = service.owner(at) if service else repository.team
    is_fix = random.random() < 0.2
    ready, reviewed, merged = _milestones(random, at, live)
    if random.random() < 0.08:
        return _dependency_update(plan, random, services, team, at, merged, live)
    is_outside = random.random() < (0.4 if repository.name == GOLDEN_PATH else 0.1)
    writer = plan.anybody(random, at) if is_outside else plan.person(random, team, at)
    title = change_title(random, is_fix=is_fix)
    usual = ("bug",) if is_fix else ("enhancement",)
    (labels,) = random.choices(((), usual, ("documentation",)), (6, 3, 1))
    is_draft = random.random() < 0.15
    change = Change(
        services=services,
        author=writer if random.random() > 0.005 else None,
        writer=writer,
        title=title,
        branch=_branch(random, writer, title, is_fix=is_fix),
        labels=labels,
        commit_times=[at],
        opened=random.randrange(at, ready) if is_draft else ready,
        ready=ready if is_draft else None,
        reviews=[],
        merges=None,
        closes=None,
        live=live,
    )
    for _ in range(int(random.expovariate(1.0))):
        change.commit_times.append(random.randrange(at, ready))
    _review(plan, random, change, team, (ready, reviewed, merged))
    change.commit_times.sort()
    return change


def adoption(
    plan: Plan, random: Random, repository: RepositoryPlan, service: ServicePlan, version: int, since: int
) -> Change:
    """The change that makes a service use a version of the golden path; as long on its way as any."""
    begin = worked(since)
    while True:
        at, live = times(plan, random, service, begin, begin + 8 * HOUR)
        change = draw(plan, random, repository, (service,), at, live)
        if change.merges and not change.writer.is_bot:
            change.title, change.labels = f"Take v{version} of the golden path", ("platform",)
            change.branch = f"chore/golden-path-v{version}"
            return change


def hotfix(plan: Plan, random: Random, service: ServicePlan, at: int) -> Change:
    """A mend in a hurry, begun at `at`, in whatever hour that is."""
    team = service.owner(at)
    writer = plan.person(random, team, at)
    title = change_title(random, is_fix=True)
    opened = at + random.randrange(10, 40) * MINUTE
    approved = opened + random.randrange(4, 20) * MINUTE
    reviewer = plan.person(random, team, at, writer)
    return Change(
        services=(service,),
        author=writer,
        writer=writer,
        title=title,
        branch=f"hotfix/{slug(title)}",
        labels=("hotfix",),
        commit_times=[at],
        opened=opened,
        ready=None,
        reviews=[(approved, reviewer, "APPROVED")],
        merges=approved + random.randrange(1, 10) * MINUTE,
        closes=None,
    )


def revert(plan: Plan, random: Random, change: Change, service: ServicePlan, at: int) -> Change:
    """Takes a merged change back, as the host's button does."""
    made = hotfix(plan, random, service, at)
    made.title = f'Revert "{change.title}"'
    made.branch = f"revert-{change.number}-{change.branch}"
    made.labels = ()
    made.opened = at + 1
    made.reverts = change
    return made


def _milestones(random: Random, at: int, live: int) -> tuple[int, int, int]:
    """When it is ready for review, reviewed for the first time, and merged: while people work, if they do."""
    parts = [random.gammavariate(mean, 1.0) for mean in _STAGES]
    shares = [share / sum(parts) for share in accumulate(parts)]
    begin, over = at + MINUTE, live - _ROLLOUT
    first, last = worked(begin), worked(over)
    if last - first < HOUR:
        ready, reviewed, merged = (begin + int(share * (over - begin)) for share in shares[:3])
    else:
        ready, reviewed, merged = (instant(first + share * (last - first)) for share in shares[:3])
    return ready, reviewed, merged


def _dependency_update(
    plan: Plan,
    random: Random,
    services: tuple[ServicePlan, ...],
    team: str,
    at: int,
    decided: int,
    live: int,
) -> Change:
    title, branch = bump(random)
    is_taken = random.random() > 0.2
    reviewer = plan.person(random, team, at)
    return Change(
        services=services,
        author=DEPENDABOT,
        writer=DEPENDABOT,
        title=title,
        branch=branch,
        labels=("dependencies",),
        commit_times=[at],
        opened=at + 2,
        ready=None,
        reviews=[(decided - 30, reviewer, "APPROVED")] if is_taken and random.random() < 0.8 else [],
        merges=decided if is_taken else None,
        closes=None if is_taken else decided,
        live=live,
    )


def _review(plan: Plan, random: Random, change: Change, team: str, milestones: tuple[int, int, int]) -> None:
    """Plan the reviews, and the end they lead to."""
    ready, first, done = milestones
    fate = random.random()
    if fate < 0.07:
        change.closes = done
    elif fate > 0.02 + 0.07:
        change.merges = done
    elif random.random() < 0.4:
        change.ready = done + 10_000 * DAY  # given up
    author = change.author or change.writer
    if random.random() < 0.15:
        change.reviews.append((change.opened + 2 * MINUTE, REVIEW_BOT, "COMMENTED"))
    if random.random() < 0.05:
        change.reviews.append((random.randrange(ready, done + 1), author, "COMMENTED"))
    if random.random() < 0.04:
        return
    is_ghost = random.random() < 0.005
    reviewer = plan.person(random, team, ready, author) if random.random() < 0.85 else None
    reviewer = reviewer or plan.anybody(random, ready, author)
    if random.random() < 0.3:
        state = random.choice(("CHANGES_REQUESTED", "COMMENTED"))
        change.reviews.append((first, None if is_ghost else reviewer, state))
        change.commit_times.append(random.randrange(first, done + 1))
        change.reviews.append((max(first, done - 5 * MINUTE), reviewer, "APPROVED"))
    else:
        change.reviews.append((first, None if is_ghost else reviewer, "APPROVED"))
    if random.random() < 0.25:
        second = plan.person(random, team, ready, author, reviewer)
        change.reviews.append((random.randrange(first, done + 1), second, "APPROVED"))
    change.reviews.sort(key=lambda review: review[0])


def _branch(random: Random, writer: Person, title: str, *, is_fix: bool) -> str:
    if random.random() < 0.25:
        return f"{writer.login}/{slug(title)}"
    return f"{'fix' if is_fix else random.choice(('feature', 'feat', 'chore'))}/{slug(title)}"
