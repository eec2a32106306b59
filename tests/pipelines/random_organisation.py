"""Organisations at random, untidy as records are: out of order, overlapping, at one moment, incomplete.

Every choice is a whole number from 0, which is the plainest, so that hypothesis can draw and shrink them
and a seed can draw them just as well.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TypeVar

from connectors.records import (
    RESULTS,
    Commit,
    Deployment,
    Incident,
    Job,
    Ownership,
    PipelineRun,
    PullRequest,
    Record,
    Ref,
    Repository,
)
from tests.pipelines.reference.given import Calendar, Given, Service, Source, Team

T = TypeVar("T")

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata")
STARTS = (
    datetime(2026, 2, 20, tzinfo=UTC),
    datetime(2026, 3, 25, tzinfo=UTC),  # Berlin's clocks change on the 29th
    datetime(2025, 12, 27, tzinfo=UTC),
    datetime(2026, 10, 29, tzinfo=UTC),  # New York's on 1 November
)
ENVIRONMENTS = ("production", "prod-eu", "Production", "staging", "prod-web", "prod-web-api")
FOLDERS = ("web", "web/ui", "api", "lib", "website")
RELEASES = r"^v\d+$"


class Maker:
    """Makes one organisation; `below(n)` chooses a whole number from 0 to n - 1."""

    def __init__(self, below: Callable[[int], int], *, most: int = 4) -> None:
        self._below = below
        self._most = most
        self._records: list[tuple[str, str, Record]] = []
        self._shas: dict[tuple[str, str], list[str]] = {}
        self._names = 0

    def organisation(self) -> Given:
        self._start = self._pick(STARTS)
        sources = (
            Source("github", "github", RELEASES),
            Source("git", "git", RELEASES),
            Source("jenkins", "jenkins"),
            Source("pagerduty", "pagerduty"),
        )
        for number in range(1 + self._below(self._most)):
            self._repository(number)
        services, teams = self._services()
        names = [s.name for s in services] or [
            r.name for _, _, r in self._records if isinstance(r, Repository)
        ]
        self._ownership(names, teams)
        for source, repository in list(self._shas):
            self._tags(source, repository)
            self._pull_requests(source, repository)
            self._deployments(source, repository, names)
            self._runs(source, repository)
        self._incidents(names)
        return Given(
            records=self._records,
            covered=self._covered(),
            sources=sources,
            timezone=self._pick(ZONES),
            services=tuple(services),
            teams=tuple(teams),
            jobs=("deploy.*",) if self._chance(70) else (),
            hotfix_labels=("Hotfix",),
            failure_window=timedelta(hours=self._pick((24, 3, 72))),
            include_bots=self._chance(20),
            calendar=self._calendar(),
        )

    def _pick(self, things: Sequence[T]) -> T:
        return things[self._below(len(things))]

    def _chance(self, percent: int) -> bool:
        return self._below(100) >= 100 - percent

    def _maybe(self, thing: T, percent: int = 80) -> T | None:
        return None if self._below(100) >= percent else thing

    def _moment(self) -> datetime:
        """Of some weeks, mostly on the hour, so that many things happen at the same moment."""
        at = self._start + timedelta(hours=self._below(24 * 16))
        if self._chance(20):
            at += timedelta(days=self._pick((0, 30, 95)), seconds=self._below(200), microseconds=250_000)
        return at

    def _after(self, moment: datetime) -> datetime:
        return moment + timedelta(hours=self._below(40), seconds=self._pick((0, 1, 1799)))

    def _soon(self, moment: datetime) -> datetime:
        return moment + timedelta(minutes=self._below(300))

    def _name(self, prefix: str) -> str:
        self._names += 1
        return f"{prefix}{self._names}"

    def _add(self, source: str, scope: str, record: Record) -> None:
        self._records.append((source, scope, record))

    def _repository(self, number: int) -> None:
        source = self._pick(("github", "github", "git"))
        name = f"r{number}"
        url = f"https://git.example.invalid/acme/{name}"
        self._add(source, name, Repository(name, name, url, "main", False))
        self._commits(source, name, number)
        if self._chance(15):
            # The same one, read by both: git's copy is left out.
            other = "git" if source == "github" else "github"
            self._add(other, f"{name}-copy", Repository(f"{name}-copy", name, url + ".git", "main", False))
            self._commits(other, f"{name}-copy", number)

    def _commits(self, source: str, repository: str, number: int) -> None:
        shas: list[str] = []
        for n in range(2 + self._below(9)):
            alike = bool(shas) and self._chance(10)
            prefix = shas[-1][:7] if alike else f"{0 if self._chance(10) else number + 1:02x}{n:05x}"
            sha = f"{prefix}{n:03x}"
            parents: tuple[str, ...] = (shas[-1 - self._below(min(3, len(shas)))],) if shas else ()
            if len(shas) > 1 and self._chance(25):
                parents = tuple(dict.fromkeys((*parents, self._pick(shas))))
            kind = "merge" if len(parents) > 1 else self._pick(("change", "change", "fix", "revert"))
            named = self._pick(shas) if shas else None
            at = self._moment()
            self._add(
                source,
                repository,
                Commit(
                    repository,
                    sha,
                    parents,
                    "who",
                    self._chance(10),
                    self._maybe(at, 90),
                    self._maybe(self._after(at), 90),
                    kind,
                    self._below(6) + 1 if self._chance(25) else None,
                    reverts=self._abbreviated(named) if named and self._chance(15) else None,
                    picked_from=self._abbreviated(named) if named and self._chance(15) else None,
                    folders=self._maybe(tuple(f for f in FOLDERS if self._chance(30)), 90),
                ),
            )
            shas.append(sha)
        self._shas[source, repository] = shas

    def _abbreviated(self, sha: str) -> str:
        return sha[: self._pick((len(sha), 7, 6))]

    def _services(self) -> tuple[list[Service], list[Team]]:
        teams: list[Team] = []
        for number in range(self._below(4)):
            parent = self._pick(teams).name if teams and self._chance(60) else None
            calendar = self._calendar() if self._chance(40) else None
            zone = self._pick(ZONES) if self._chance(40) else None
            teams.append(Team(f"t{number}", parent, calendar, zone))
        services = []
        for name in ("web", "web-api", "api", "r0")[: self._below(5)]:
            repositories = tuple(f"r{n}" for n in range(self._most) if self._chance(40)) or ("r*",)
            paths = tuple(path for path in ("web", "api", "lib") if self._chance(40))
            owners = tuple(team.name for team in teams if self._chance(40))
            services.append(Service(name, repositories, paths if self._chance(40) else (), owners))
        return services, teams

    def _calendar(self) -> Calendar:
        return self._pick(
            (Calendar(), Calendar("DE", "BE"), Calendar("US"), Calendar(weekend=(4, 5)), Calendar(weekend=()))
        )

    def _ownership(self, services: list[str], teams: list[Team]) -> None:
        for _ in range(self._below(4) if teams else 0):
            since = self._maybe(self._moment(), 70)
            record = Ownership(
                self._pick(services), self._pick(teams).name, since, self._maybe(self._moment(), 50)
            )
            if not any(
                known[:3] == record[:3] for _, _, known in self._records if isinstance(known, Ownership)
            ):
                self._add("pagerduty", "pagerduty", record)

    def _tags(self, source: str, repository: str) -> None:
        for number in range(self._below(5)):
            name = self._pick((f"v{number}", f"v{number}", f"nightly-{number}"))
            at = self._maybe(self._moment(), 90)
            sha = self._pick(self._shas[source, repository])
            self._add(source, repository, Ref(repository, name, "tag", sha, at))

    def _pull_requests(self, source: str, repository: str) -> None:
        shas = self._shas[source, repository]
        commits = {r.sha: r for _, scope, r in self._records if isinstance(r, Commit) and scope == repository}
        for number in range(1, 1 + self._below(6)):
            opened = self._moment()
            ended = self._maybe(self._after(opened), 85)
            merge = self._maybe(self._pick(shas), 80)
            listed = tuple(dict.fromkeys(self._pick([*shas, "unknown"]) for _ in range(self._below(4))))
            line: list[Commit] = []
            while merge and (self._below(2) or not line) and (not line or line[-1].parents):
                line.append(commits[line[-1].parents[0] if line else merge])
            first = min((c.authored_at for c in line if c.authored_at), default=None)
            self._add(
                source,
                repository,
                PullRequest(
                    repository=repository,
                    number=number,
                    url=f"https://git.example.invalid/{repository}/pull/{number}",
                    author="who",
                    is_bot=self._chance(10),
                    kind=self._pick(("change", "fix", "revert")),
                    is_hotfix=self._chance(15),
                    base_ref="main",
                    head_sha=self._maybe(self._pick([*shas, "unknown"]), 60),
                    merge_sha=merge,
                    first_commit_at=self._pick((first, None, self._moment())),
                    opened_at=opened,
                    ready_at=self._maybe(self._pick((self._after(opened), self._moment())), 30),
                    first_review_at=self._maybe(self._pick((self._after(opened), self._moment())), 70),
                    approved_at=None,
                    merged_at=ended if self._chance(80) else None,
                    closed_at=self._maybe(ended, 90) if ended else None,
                    additions=None,
                    deletions=None,
                    changed_files=None,
                    commits=len(line) or None,
                    reviews=None,
                    labels=("HOTFIX",) if self._chance(10) else (),
                    reverts=self._below(6) + 1 if self._chance(20) else None,
                    commit_shas=listed,
                ),
            )

    def _deployments(self, source: str, repository: str, services: list[str]) -> None:
        shas = [*self._shas[source, repository]]
        for _ in range(self._below(8)):
            by = self._pick((source, source, "jenkins", "push"))
            is_known_by_id = by == source and self._chance(80)
            url = (
                None
                if is_known_by_id or self._chance(20)
                else f"git@git.example.invalid:acme/{repository[:2]}"
            )
            started = self._moment()
            finished = self._pick((self._after(started), started, self._moment()))
            service = self._pick(services) if self._chance(40) else None
            self._add(
                by,
                repository if by == source else by,
                Deployment(
                    id=self._name("d"),
                    repository=repository if is_known_by_id else None,
                    repository_url=url,
                    service=service,
                    environment=self._pick(ENVIRONMENTS),
                    is_production=self._pick((None, True, False)) if by == "push" else None,
                    sha=self._maybe(self._pick([*shas, *shas, "unknown"]), 95),
                    ref=None,
                    status=self._pick(("success", "success", "success", *RESULTS)),
                    created_at=self._moment() if self._chance(20) else started,
                    started_at=self._maybe(started),
                    finished_at=self._maybe(finished, 90),
                    url=None,
                    rollout=f"rollout{self._below(3)}" if self._chance(25) else None,
                ),
            )

    def _runs(self, source: str, repository: str) -> None:
        for _ in range(self._below(4)):
            sha = self._maybe(self._pick([*self._shas[source, repository], "unknown"]), 90)
            self._run(source, repository, sha, self._moment)
        for _, _, pull in [*self._records]:
            if isinstance(pull, PullRequest) and pull.repository == repository and pull.merged_at:
                self._tests(source, pull)

    def _tests(self, source: str, pull: PullRequest) -> None:
        """Runs about the time at which a pull request is open, mostly with all there is to tell of them."""
        shas = [sha for sha in (*pull.commit_shas, pull.head_sha, pull.merge_sha) if sha]
        for _ in range(self._below(4) if shas else 0):
            moment = partial(self._soon, pull.opened_at + timedelta(hours=self._below(30) - 5))
            self._run(source, pull.repository, self._pick(shas), moment, is_told=self._chance(90))

    def _run(
        self,
        source: str,
        repository: str,
        sha: str | None,
        moment: Callable[[], datetime],
        *,
        is_told: bool = False,
    ) -> None:
        """Attempts of a run, each queued at a `moment`."""
        known = 100 if is_told else 90
        id_ = self._name("run")
        is_known_by_id = self._chance(60)
        by = source if is_known_by_id else "jenkins"
        workflow = self._pick(("build", "deploy"))
        for attempt in range(1, 2 + self._below(3)):
            queued = moment()
            started = self._maybe(self._pick((self._after(queued), queued)), known)
            finished = self._maybe(self._pick((self._after(started or queued), queued)), known)
            run = PipelineRun(
                id=id_,
                attempt=attempt,
                repository=repository if is_known_by_id else None,
                repository_url=None
                if is_known_by_id
                else f"https://git.example.invalid/acme/{repository[:2]}",
                workflow=workflow,
                branch="main",
                event="push",
                sha=sha,
                queued_at=self._maybe(queued, 90),
                started_at=started,
                finished_at=finished,
                result=self._pick(("success", "failed", *(() if is_told else RESULTS))),
                url="https://ci.example.invalid/run",
            )
            self._add(by, repository if by == source else by, run)
            for _ in range(self._below(3)):
                begun = self._maybe(self._after(queued), 90)
                self._add(
                    by,
                    repository if by == source else by,
                    Job(
                        id=self._name("job"),
                        run=id_,
                        attempt=attempt,
                        repository=run.repository,
                        name=self._pick(("test", "Deploy it")),
                        runner=None,
                        queued_at=self._maybe(queued, 70),
                        started_at=begun,
                        finished_at=self._maybe(self._after(begun or queued), 90),
                        result=self._pick(("success", "failed", *RESULTS)),
                        url=None,
                    ),
                )

    def _incidents(self, services: list[str]) -> None:
        shas = [sha for known in self._shas.values() for sha in known]
        for _ in range(self._below(7)):
            opened = self._moment()
            source, repository = self._pick([("pagerduty", None), *self._shas])
            self._add(
                source,
                repository or source,
                Incident(
                    id=self._name("i"),
                    service=self._maybe(self._pick([*services, "unheard-of"]), 70),
                    repository=self._maybe(repository, 80) if repository else None,
                    severity=None,
                    status=self._pick(("resolved", "open", "acknowledged")),
                    opened_at=opened,
                    acknowledged_at=None,
                    resolved_at=self._maybe(self._pick((self._after(opened), self._moment())), 75),
                    deployment=self._named_deployment() if self._chance(30) else None,
                    sha=self._abbreviated(self._pick(shas)).upper() if self._chance(30) else None,
                    change_number=self._below(6) + 1 if self._chance(30) else None,
                    url=None,
                ),
            )

    def _named_deployment(self) -> str:
        known = [r for _, _, r in self._records if isinstance(r, Deployment)]
        if not known or self._chance(10):
            return "rollout1"
        return self._pick(known).id

    def _covered(self) -> dict[tuple[str, str], datetime]:
        scopes = dict.fromkeys((source, scope) for source, scope, _ in self._records)
        return {
            scope: self._start + timedelta(days=self._pick((60, 200, 9)), hours=self._below(30))
            for scope in scopes
        }
