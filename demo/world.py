"""What the simulated organisation holds: people, code, builds, incidents and catalogue, as plain records.

Times are timezone-aware UTC. `World` is what the servers serve; `demo.organisation` makes one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Person:
    """An account, with the name and address of its commits."""

    login: str
    name: str
    email: str
    is_bot: bool = False


@dataclass(frozen=True, slots=True)
class Team:
    """A team, or a department of teams."""

    slug: str
    name: str
    parent: str | None
    kind: str
    """`department` or `team`."""


@dataclass(frozen=True, slots=True)
class Membership:
    """A person in a team, for a time."""

    team: str
    login: str
    since: datetime
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit of a pull request."""

    sha: str
    author: Person
    authored_at: datetime
    committed_at: datetime
    subject: str


@dataclass(frozen=True, slots=True)
class Review:
    """A review of a pull request."""

    id: int
    author: Person | None
    """None for an account that is gone."""
    state: str
    """`APPROVED`, `CHANGES_REQUESTED` or `COMMENTED`."""
    submitted_at: datetime


@dataclass(frozen=True, slots=True)
class PullRequest:
    """A pull request as the host knows it."""

    repository: str
    number: int
    author: Person | None
    title: str
    base_ref: str
    head_ref: str
    head_sha: str
    merge_sha: str | None
    is_draft: bool
    opened_at: datetime
    ready_at: datetime | None
    """When it left draft; None where it never was one."""
    merged_at: datetime | None
    closed_at: datetime | None
    updated_at: datetime
    additions: int
    deletions: int
    changed_files: int
    labels: tuple[str, ...]
    commits: tuple[Commit, ...]
    reviews: tuple[Review, ...]
    reverts: int | None = None
    """Number of the pull request it reverts: `Reverts owner/repository#12` in its description."""


@dataclass(frozen=True, slots=True)
class Job:
    """A job of one attempt of a run."""

    id: int
    name: str
    labels: tuple[str, ...]
    created_at: datetime
    started_at: datetime
    completed_at: datetime
    conclusion: str


@dataclass(frozen=True, slots=True)
class Run:
    """One attempt of an Actions run."""

    id: int
    attempt: int
    repository: str
    workflow: str
    """Path of the workflow file."""
    number: int
    event: str
    branch: str
    sha: str
    created_at: datetime
    started_at: datetime
    updated_at: datetime
    conclusion: str | None
    """None while it runs."""
    actor: Person
    jobs: tuple[Job, ...]
    reusable: tuple[str, ...] = ()
    """Reusable workflows it called, as `owner/repository/.github/workflows/deliver.yml@v2`."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """A deployment with its history."""

    id: int
    repository: str
    environment: str
    sha: str
    ref: str
    creator: Person
    created_at: datetime
    updated_at: datetime
    statuses: tuple[tuple[str, datetime], ...]
    """(state, at), oldest first: `queued`, `in_progress`, `success`, `failure`, `error`, `inactive`."""


@dataclass(frozen=True, slots=True)
class Release:
    """A release published on the host."""

    id: int
    repository: str
    tag: str
    sha: str
    author: Person
    published_at: datetime
    is_prerelease: bool = False


@dataclass(frozen=True, slots=True)
class Issue:
    """An issue."""

    repository: str
    number: int
    author: Person
    title: str
    labels: tuple[str, ...]
    opened_at: datetime
    closed_at: datetime | None
    updated_at: datetime


@dataclass(slots=True)
class Repository:
    """A hosted repository and all that hangs on it, each list oldest first (by number or id)."""

    id: int
    name: str
    default_branch: str
    created_at: datetime
    pushed_at: datetime
    updated_at: datetime
    archived: bool = False
    fork: bool = False
    is_empty: bool = False
    """Nothing was ever pushed."""
    former_names: tuple[str, ...] = ()
    """What it was called before it was renamed, oldest first; the API redirects from them."""
    topics: tuple[str, ...] = ()
    files: dict[str, str] = field(default_factory=dict)
    """Path → text at HEAD, of the evidence files alone: workflows, Dockerfile, …"""
    pull_requests: list[PullRequest] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    deployments: list[Deployment] = field(default_factory=list)
    releases: list[Release] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage of a Jenkins build."""

    id: int
    name: str
    status: str
    """`SUCCESS`, `FAILED`, `ABORTED`, `NOT_EXECUTED`."""
    started_at: datetime
    duration_ms: int


@dataclass(frozen=True, slots=True)
class Build:
    """A Jenkins build of a branch job."""

    number: int
    started_at: datetime
    queued_ms: int
    duration_ms: int
    result: str | None
    """`SUCCESS`, `FAILURE`, `UNSTABLE`, `ABORTED`; None while it runs."""
    sha: str
    branch: str
    remote_url: str
    cause: str
    """Class name, as `jenkins.branch.BranchEventCause`."""
    stages: tuple[Stage, ...]


@dataclass(slots=True)
class JenkinsJob:
    """`path` is of names from the root: folder, multibranch project, branch."""

    path: tuple[str, ...]
    is_branch: bool
    """Whether its parent is a multibranch project."""
    builds: list[Build] = field(default_factory=list)
    """Oldest first."""


@dataclass(frozen=True, slots=True)
class LogEntry:
    """Something that happened to an incident."""

    id: str
    type: str
    """`trigger`, `acknowledge`, `resolve`, `unacknowledge`, `annotate`: without `_log_entry`."""
    at: datetime
    person: Person | None
    """None for the service itself."""


@dataclass(frozen=True, slots=True)
class Incident:
    """A PagerDuty incident."""

    id: str
    number: int
    service_id: str
    title: str
    urgency: str
    priority: str | None
    status: str
    created_at: datetime
    updated_at: datetime
    log: tuple[LogEntry, ...]
    sha: str | None = None
    """Commit the responders named as its cause, in a custom field."""


@dataclass(frozen=True, slots=True)
class PagerDutyService:
    """Something that people are on call for."""

    id: str
    name: str
    team_id: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ChangeEvent:
    """A change that was announced to PagerDuty."""

    id: str
    service_id: str
    at: datetime
    summary: str
    sha: str
    url: str


@dataclass(frozen=True, slots=True)
class Component:
    """A component of Backstage's catalogue."""

    name: str
    title: str
    owner: str
    """Team's slug; of a dangling owner a name that no group has."""
    system: str
    type: str
    lifecycle: str
    tier: str
    repository: str
    source_path: str | None
    """Folder in a monorepo."""
    annotations: dict[str, str]
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ownership:
    """A line of the organisation's own notes on who had which component."""

    component: str
    team: str
    """Its slug."""
    since: datetime | None
    """None where it always had."""
    until: datetime | None
    """Exclusive; None while it has."""


@dataclass(frozen=True, slots=True)
class OwnPipeline:
    """A line of the platform team's inventory: which component was built by a pipeline of its own."""

    component: str
    since: datetime
    until: datetime | None
    """Exclusive; None while it is."""


@dataclass(frozen=True, slots=True)
class Task:
    """A run of a software template."""

    id: str
    template: str
    """Name of the template."""
    created_by: str
    created_at: datetime
    finished_at: datetime | None
    status: str
    """`processing`, `completed`, `failed` or `cancelled`."""
    component: str | None
    """Name of the component it made."""


@dataclass(slots=True)
class World:
    """All of it. `now` is the moment up to which it has been lived."""

    organization: str
    """The login on GitHub."""
    now: datetime
    people: list[Person] = field(default_factory=list)
    teams: list[Team] = field(default_factory=list)
    memberships: list[Membership] = field(default_factory=list)
    repositories: dict[str, Repository] = field(default_factory=dict)
    """By name."""
    jenkins: list[JenkinsJob] = field(default_factory=list)
    pagerduty_services: list[PagerDutyService] = field(default_factory=list)
    incidents: list[Incident] = field(default_factory=list)
    """Oldest first."""
    change_events: list[ChangeEvent] = field(default_factory=list)
    components: list[Component] = field(default_factory=list)
    ownership: list[Ownership] = field(default_factory=list)
    own_pipelines: list[OwnPipeline] = field(default_factory=list)
    """Of what went from one team to another, which the catalogue has no memory of."""
    templates: list[str] = field(default_factory=list)
    tasks: list[Task] = field(default_factory=list)
    """Oldest first."""
