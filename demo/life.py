"""What happens in one repository, event by event: changes, rollouts, and what goes wrong."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any

from demo import changes
from demo.changes import Change
from demo.history import HOST, History
from demo.plan import ORGANIZATION, RELEASE_BOT, Plan, RepositoryPlan, ServicePlan, moment
from demo.words import STEPS, change_title
from demo.working_time import DAY, HOUR, MINUTE, worked
from demo.worktree import Worktree
from demo.world import Commit, Person

FAILED_ROLLOUTS = 0.035
UNATTRIBUTED_PER_YEAR = 0.7
"""Incidents of a service that no deployment caused."""
_REVISIONS = 16
"""Contents that a service's files go through, round and round."""


@dataclass(slots=True, eq=False)
class Rollout:
    """One attempt to bring a version of a service to an environment."""

    service: ServicePlan
    environment: str
    sha: str
    ref: str
    started: int
    finished: int
    is_success: bool

    @property
    def seconds(self) -> int:
        return self.finished - self.started


@dataclass(slots=True, eq=False)
class Trouble:
    """Something wrong with a service, as its responders saw it."""

    service: ServicePlan
    number: int
    """Of the issue, where the repository keeps incidents as issues."""
    reporter: Person
    opened: int
    sha: str | None = None
    resolved: int | None = None


@dataclass(slots=True, eq=False)
class Report:
    """An issue that is no incident."""

    number: int
    reporter: Person
    title: str
    opened: int
    closed: int | None


class Life:
    """The life of a repository from the start until the end, once `live` has been called."""

    def __init__(self, plan: Plan, repository: RepositoryPlan, changes_per_weight: float) -> None:
        self.plan = plan
        self.repository = repository
        self.random = plan.random("life", repository.name)
        self.history = History(repository.default_branch)
        self.changes: list[Change] = []
        """In order of their numbers."""
        self.rollouts: list[Rollout] = []
        self.troubles: list[Trouble] = []
        self.reports: list[Report] = []
        self.tags: list[tuple[int, str, str]] = []
        """(at, tag, commit)"""
        self.landed: list[tuple[int, str, Change]] = []
        """(at, commit, change): what came to the default branch."""
        self._changes_per_weight = changes_per_weight
        self._end = plan.calendar.end
        self._events: list[tuple[int, int, Callable[..., None], tuple[Any, ...]]] = []
        self._order = count()
        self._numbers = count(1)
        self.tip_at = moment(repository.created)
        """When the last commit came to the default branch."""
        self._tip = ""
        self._state: dict[str, int] = {}
        self._worktree = Worktree(self.history, repository)
        self._live: dict[str, list[str]] = {}
        """Service → commits that were live in production, oldest first."""
        self._unshipped: dict[str, list[Change]] = {}
        self._unresolved: dict[str, list[Trouble]] = {}
        self._tag_of: dict[str, str] = {}
        self._version = [1, 0, 0]

    def live(self) -> Life:
        """Live it; returns itself."""
        if self.repository.is_empty:
            return self
        self._begin()
        while self._events:
            at, _, happen, what = heapq.heappop(self._events)
            happen(at, *what)
        self.history.refs[f"refs/heads/{self.repository.default_branch}"] = self._tip
        return self

    def _at(self, at: int, happen: Callable[..., None], *what: Any) -> None:
        if at <= self._end:
            heapq.heappush(self._events, (at, next(self._order), happen, what))

    # -- beginning

    def _begin(self) -> None:
        repository, calendar, random = self.repository, self.plan.calendar, self.random
        self._state = dict.fromkeys([service.name for service in repository.services] or [repository.name], 0)
        at = repository.created
        writer = self.plan.person(random, repository.team, max(at, calendar.start))
        self._tip = self._commit(at, (), writer, "Initial commit")
        for service in repository.services:
            for since, version in service.adopted:
                self._at(since, self._take_golden_path, service, version)
        for at, tag in repository.releases:
            self._at(at, self._release, tag)
        for service in repository.services:
            self._live[service.name], self._unshipped[service.name] = [], []
            self._unresolved[service.name] = []
            first = max(service.created, calendar.start)
            self._draw_changes(service, first, service.weight)
            if service.created < calendar.start:
                self._at(first + random.randrange(5 * DAY), self._deploy, service)
            if service.pagerduty:
                gap = 365 * DAY / UNATTRIBUTED_PER_YEAR
                self._at(first + int(random.expovariate(1 / gap)), self._unattributed, service)
        if repository.weight:
            self._draw_changes(None, calendar.start, repository.weight)
        if repository.has_incident_issues:
            for _ in range(12):
                self._at(random.randrange(calendar.start, self._end), self._report)

    def _draw_changes(self, service: ServicePlan | None, first: int, weight: float) -> None:
        random, last = self.random, self.repository.quiet_after or self._end
        begin, over = worked(first), worked(last)
        for _ in range(round(weight * self._changes_per_weight)):
            at, live = changes.times(self.plan, random, service, begin, over)
            services: tuple[ServicePlan, ...] = (service,) if service else ()
            if service and service.path and random.random() < 0.05:
                other = random.choice(self.repository.services)
                services = (service, other) if other is not service and other.created < at else services
            self._at(at, self._start, services, live)

    # -- changes

    def _start(self, at: int, services: tuple[ServicePlan, ...], live: int) -> None:
        self._plan_change(changes.draw(self.plan, self.random, self.repository, services, at, live))

    def _plan_change(self, change: Change) -> None:
        change.base = self._tip, dict(self._state)
        self._at(change.opened, self._open, change)

    def _open(self, _at: int, change: Change) -> None:
        change.number = next(self._numbers)
        self.changes.append(change)
        parent, state = change.base
        random = self.random
        for index, written in enumerate(change.commit_times):
            if written > self._end:
                break
            state = self._touched(state, change)
            subject, body = change.title if index == 0 else random.choice(STEPS), ""
            if change.reverts:
                body = f"\n\nThis reverts commit {change.reverts.merge_sha}."
            writer = change.writer
            if index and random.random() < 0.05:
                writer = self.plan.anybody(random, written)
            parent = self._commit(written, (parent,), writer, subject + body, state=state)
            change.commits.append(Commit(parent, writer, moment(written), moment(written), subject))
        if change.merges:
            self._at(change.merges, self._merge, change)
        elif not (change.closes and change.closes <= self._end):
            self.history.refs[f"refs/heads/{change.branch}"] = parent
        self.history.refs[f"refs/pull/{change.number}/head"] = parent
        if change.merges and change.merges > self._end:
            self.history.refs[f"refs/heads/{change.branch}"] = parent

    def _merge(self, at: int, change: Change) -> None:
        head, way = change.commits[-1], self.repository.merges_by
        before = self._state
        self._state = self._touched(before, change)
        author, title = change.writer, f"{change.title} (#{change.number})"
        if way == "squash":
            self._tip = self._commit(at, (self._tip,), author, title, committer=HOST)
        elif way == "merge":
            subject = f"Merge pull request #{change.number} from {ORGANIZATION}/{change.branch}"
            merger = self.plan.anybody(self.random, at)
            self._tip = self._commit(
                at, (self._tip, head.sha), merger, f"{subject}\n\n{change.title}", committer=HOST
            )
        else:
            self._state = before
            for commit in change.commits:
                self._state = self._touched(self._state, change)
                written = int(commit.authored_at.timestamp())
                self._tip = self._commit(
                    at, (self._tip,), commit.author, commit.subject, committer=HOST, written=written
                )
        change.merge_sha, change.merged = self._tip, at
        self.tip_at = moment(at)
        self.landed.append((at, self._tip, change))
        for service in change.services:
            self._unshipped[service.name].append(change)
            rollouts = self.random.randrange(15, 30) * MINUTE
            due = change.live - rollouts if change.live else at + rollouts // 2
            self._at(max(due, at + MINUTE), self._deploy, service)

    def _take_golden_path(self, at: int, service: ServicePlan, version: int) -> None:
        if at <= service.created:
            return  # it was made with it
        self._plan_change(changes.adoption(self.plan, self.random, self.repository, service, version, at))

    def _touched(self, state: dict[str, int], change: Change) -> dict[str, int]:
        names = [service.name for service in change.services] or [self.repository.name]
        return state | {name: (state[name] + 1) % _REVISIONS for name in names}

    def _commit(
        self,
        at: int,
        parents: tuple[str, ...],
        author: Person,
        message: str,
        *,
        committer: Person | None = None,
        state: dict[str, int] | None = None,
        written: int | None = None,
    ) -> str:
        tree = self._worktree.at(at, self._state if state is None else state)
        return self.history.commit(
            tree, parents, author, written or at, message, committer=committer, committed_at=at
        )

    # -- rollouts

    def _deploy(self, at: int, service: ServicePlan) -> None:
        """Bring the tip of the default branch to staging, then to production."""
        live = self._live[service.name]
        if live and live[-1] == self._tip:
            return
        sha, random = self._tip, self.random
        ref = self._tag(at, sha)
        started = at + random.randrange(4, 15) * MINUTE
        if service.staging:
            started += self._roll_out(service, service.staging, sha, ref, at, is_success=True).seconds
        is_success = random.random() > FAILED_ROLLOUTS
        self._to_production(service, sha, ref, started, is_success=is_success)
        if not is_success:
            self._at(started + random.randrange(30, 120) * MINUTE, self._deploy, service)

    def _to_production(
        self,
        service: ServicePlan,
        sha: str,
        ref: str,
        started: int,
        *,
        is_success: bool,
        is_rollback: bool = False,
    ) -> None:
        for index, environment in enumerate(service.production):
            done = self._roll_out(service, environment, sha, ref, started, is_success=is_success)
            if not is_success:
                return
            if index == 0:
                self._at(done.finished, self._went_live, service, sha, is_rollback)
            started = done.finished + self.random.randrange(20, 50) * MINUTE

    def _roll_out(
        self, service: ServicePlan, environment: str, sha: str, ref: str, started: int, *, is_success: bool
    ) -> Rollout:
        finished = started + self.random.randrange(120, 700)
        rollout = Rollout(service, environment, sha, ref, started, finished, is_success)
        if started <= self._end:
            self.rollouts.append(rollout)
        return rollout

    def _tag(self, at: int, sha: str) -> str:
        """The reference deployed: a tag, new unless the commit has one, or the branch."""
        if self.repository.tags is None:
            return self.repository.default_branch
        if sha not in self._tag_of:
            major, minor, patch = self._version
            is_patch = self.random.random() < 0.4
            self._version = [major, minor, patch + 1] if is_patch else [major, minor + 1, 0]
            self._name(at, "v{}.{}.{}".format(*self._version), sha)
        return self._tag_of[sha]

    def _release(self, at: int, tag: str) -> None:
        self._name(at, tag, self._tip)

    def _name(self, at: int, tag: str, sha: str) -> None:
        is_annotated = self.repository.tags == "annotated"
        self.history.tag(tag, sha, RELEASE_BOT, at, is_annotated=is_annotated)
        self._tag_of[sha] = tag
        self.tags.append((at, tag, sha))

    def _went_live(self, at: int, service: ServicePlan, sha: str, is_rollback: bool) -> None:
        live = self._live[service.name]
        is_first = not live
        live.append(sha)
        for trouble in self._unresolved[service.name]:
            trouble.resolved = at + self.random.randrange(1, 6) * MINUTE
        self._unresolved[service.name] = []
        shipped, self._unshipped[service.name] = self._unshipped[service.name], []
        if not is_first and not is_rollback and self.random.random() < service.fault_rate:
            self._break(at, service, sha, shipped)

    # -- what goes wrong

    def _break(self, at: int, service: ServicePlan, sha: str, shipped: list[Change]) -> None:
        """Let a version that just went live be faulty, one way or another."""
        random = self.random
        noticed = at + int(random.expovariate(1 / (50 * MINUTE))) + 3 * MINUTE
        way = random.choices(("hotfix", "roll back", "revert", "pass"), (30, 25, 20, 25))[0]
        shipped = [change for change in shipped if change.live]
        if way == "revert" and shipped:
            begun = at + random.randrange(30 * MINUTE, 10 * HOUR)
            self._at(begun, self._revert, service, shipped[-1])
        elif way == "roll back":
            self._at(noticed, self._fail, service, sha, random.randrange(10, 45) * MINUTE, self._roll_back)
        elif way == "hotfix":
            self._at(noticed, self._fail, service, sha, random.randrange(5, 40) * MINUTE, self._mend)
        else:
            self._at(noticed, self._fail, service, sha, random.randrange(20, 240) * MINUTE, self._pass)

    def _fail(self, at: int, service: ServicePlan, sha: str, until: int, then: Callable[..., None]) -> None:
        """Notice it, and in `until` seconds do something about it."""
        named = sha if then == self._mend and self.random.random() < 0.8 else None
        self._report_trouble(at, service, named)
        self._at(at + until, then, service, sha)

    def _report_trouble(self, at: int, service: ServicePlan, sha: str | None) -> None:
        is_issue = self.repository.has_incident_issues
        if not service.pagerduty and not is_issue:
            return
        reporter = self.plan.person(self.random, service.owner(at), at)
        number = next(self._numbers) if is_issue else 0
        trouble = Trouble(service, number, reporter, at, sha)
        self.troubles.append(trouble)
        self._unresolved[service.name].append(trouble)

    def _mend(self, at: int, service: ServicePlan, _sha: str) -> None:
        self._plan_change(changes.hotfix(self.plan, self.random, service, at))

    def _roll_back(self, at: int, service: ServicePlan, sha: str) -> None:
        live = self._live[service.name]
        if live[-1] != sha or len(live) < 2:
            self._pass(at, service, sha)
            return
        before = live[-2]
        ref = self._tag_of.get(before, self.repository.default_branch)
        self._to_production(service, before, ref, at, is_success=True, is_rollback=True)

    def _pass(self, at: int, service: ServicePlan, _sha: str) -> None:
        for trouble in self._unresolved[service.name]:
            trouble.resolved = at
        self._unresolved[service.name] = []

    def _revert(self, at: int, service: ServicePlan, change: Change) -> None:
        self._plan_change(changes.revert(self.plan, self.random, change, service, at))

    def _unattributed(self, at: int, service: ServicePlan) -> None:
        self._report_trouble(at, service, None)
        if self.random.random() < 0.04:
            self._unresolved[service.name] = []  # nobody ever says that it is over
        self._at(at + self.random.randrange(10, 200) * MINUTE, self._pass, service, "")
        gap = 365 * DAY / UNATTRIBUTED_PER_YEAR
        self._at(at + int(self.random.expovariate(1 / gap)), self._unattributed, service)

    def _report(self, at: int) -> None:
        reporter = self.plan.person(self.random, self.repository.team, at)
        closed = at + int(self.random.expovariate(1 / (9 * DAY)))
        title = change_title(self.random, is_fix=True)
        self.reports.append(
            Report(next(self._numbers), reporter, title, at, closed if closed <= self._end else None)
        )
