"""The canonical records: what every connector yields, whatever tool it reads.

Times are timezone-aware UTC datetimes. A person is a keyed hash (`Context.person`), never a
name or an address; the name of a branch that may name a person is masked (`Context.branch`);
titles, descriptions and comments, which people write freely, are no part of any record.
`source` (the configured name) is added on landing; with a record's key (`KEYS`) it
identifies the record, so re-yielding one is harmless. What a tool does not say is None.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple


class Repository(NamedTuple):
    """A version-controlled repository."""

    id: str
    """Stable within the source: the URL without credentials, or the host's own id."""
    name: str
    """Short name, unique within the source."""
    url: str
    """Where a person can open it; without credentials."""
    default_branch: str | None
    """Branch that HEAD names; None while the repository has no commit."""
    archived: bool


class Commit(NamedTuple):
    """One commit, reachable from a branch or tag when it was read."""

    repository: str
    """`Repository.id`."""
    sha: str
    parents: tuple[str, ...]
    """In git's order; none for a root."""
    author: str
    """Keyed hash of the author's address."""
    is_bot: bool
    """The author's name ends in `[bot]`."""
    authored_at: datetime | None
    """None where the commit carries a date no calendar holds."""
    committed_at: datetime | None
    kind: str
    """`merge`, `revert`, `fix` or `change`, read from parents and subject."""
    change_number: int | None
    """Pull request the subject names, as in `Mend the parser (#12)`."""
    reverts: str | None = None
    """Commit that the message says it reverts."""
    picked_from: str | None = None
    """Commit that the message says it was cherry-picked from; the last where it names several."""
    folders: tuple[str, ...] | None = None
    """Folders it touches, as deep as the source reads them; None where it reads none."""


class Ref(NamedTuple):
    """A branch or a tag and the commit it names."""

    repository: str
    name: str
    """Without `refs/heads/` or `refs/tags/`; of a branch masked."""
    kind: str
    """`branch` or `tag`."""
    sha: str
    """The commit, tag objects peeled."""
    at: datetime | None
    """Tagger's date of an annotated tag, else the commit's committer date."""


class PullRequest(NamedTuple):
    """A pull or merge request: the unit of change."""

    repository: str
    """`Repository.id` of the base."""
    number: int
    url: str
    author: str | None
    """Keyed hash of the account; None where the account is gone."""
    is_bot: bool
    kind: str
    """`revert`, `fix` or `change`, read from the title."""
    is_hotfix: bool
    """From a branch that the source's `hotfix_branches` matches."""
    base_ref: str
    """Branch it is merged into, masked."""
    head_sha: str | None
    merge_sha: str | None
    """The commit that brought it to the base: merge commit, squashed commit, or last rebased one."""
    first_commit_at: datetime | None
    """Earliest author's date among its commits."""
    opened_at: datetime
    ready_at: datetime | None
    """When it last stopped being a draft; None where it never was one."""
    first_review_at: datetime | None
    """First review by a human other than the author."""
    approved_at: datetime | None
    """First approval by a human other than the author."""
    merged_at: datetime | None
    closed_at: datetime | None
    """When it was closed, by a merge or without one."""
    additions: int | None
    deletions: int | None
    changed_files: int | None
    commits: int | None
    """How many there are, which may be more than `commit_shas` lists."""
    reviews: int | None
    """Reviews by humans other than the author."""
    labels: tuple[str, ...]
    reverts: int | None
    """Number of the pull request it reverts."""
    commit_shas: tuple[str, ...]
    """Its commits as the host lists them, oldest first, as far as they were read."""


class PipelineRun(NamedTuple):
    """One attempt of one run of a CI workflow, pipeline or job."""

    id: str
    """Stable over attempts."""
    attempt: int
    """From 1."""
    repository: str | None
    """`Repository.id`, where the tool hosts the repository itself."""
    repository_url: str | None
    """Address of the repository without credentials, where only that is known."""
    workflow: str
    """What is run: a workflow file's path or a job's full name."""
    branch: str | None
    """Masked."""
    event: str
    """Why it ran, in the tool's own word: `push`, `pull_request`, `schedule`, …"""
    sha: str | None
    queued_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    """None while it runs."""
    result: str
    """One of `RESULTS`."""
    url: str


class Job(NamedTuple):
    """One job (in Jenkins: stage) of one attempt of a run."""

    id: str
    run: str
    """`PipelineRun.id`."""
    attempt: int
    repository: str | None
    name: str
    runner: str | None
    """What kind of machine ran it: labels or pool, not the one machine."""
    queued_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    result: str
    """One of `RESULTS`."""
    url: str | None


class Deployment(NamedTuple):
    """One attempt to bring a version to an environment."""

    id: str
    repository: str | None
    """`Repository.id`, where the tool hosts the repository itself."""
    repository_url: str | None
    """Address of the repository without credentials, where only that is known."""
    service: str | None
    """What is deployed, where the tool says: `Service.id`, one of its aliases, or its name."""
    environment: str
    is_production: bool | None
    """What the tool itself says of the environment; None where it says nothing."""
    sha: str | None
    ref: str | None
    """Tag or branch, masked unless a tag."""
    status: str
    """One of `RESULTS`: whether it ever succeeded, whatever the tool says of it later."""
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    """The first success, else the end; None while it runs."""
    url: str | None
    rollout: str | None = None
    """What the records of one rollout of several repositories have in common; None where it stands alone."""


class Release(NamedTuple):
    """A release published on the repository's host."""

    repository: str
    tag: str
    sha: str | None
    published_at: datetime | None
    """None for a draft."""
    is_prerelease: bool
    url: str


class Incident(NamedTuple):
    """Something that was wrong with a service."""

    id: str
    service: str | None
    """Affected: `Service.id`, one of its aliases, or its name."""
    repository: str | None
    """`Repository.id`, for an issue on the repository's host."""
    severity: str | None
    """In the tool's own word."""
    status: str
    """`open`, `acknowledged` or `resolved`."""
    opened_at: datetime
    acknowledged_at: datetime | None
    """First acknowledgement by a human."""
    resolved_at: datetime | None
    """The last resolution; None while it is open, reopened ones too."""
    deployment: str | None
    """`Deployment.id` that the tool names as its cause."""
    sha: str | None
    """Commit that the tool names as its cause."""
    change_number: int | None
    """Pull request that the tool names as its cause."""
    url: str | None


class ChangeEvent(NamedTuple):
    """A change of a service that was announced to an incident tool."""

    id: str
    service: str | None
    """As in `Incident.service`."""
    happened_at: datetime
    sha: str | None
    url: str | None


class Team(NamedTuple):
    """A team, or a group of teams."""

    id: str
    name: str
    parent: str | None
    """`Team.id`; None at the top."""
    kind: str
    """In the tool's own word: `team`, `department`, …"""


class Membership(NamedTuple):
    """A person in a team."""

    team: str
    """`Team.id`."""
    person: str
    """Keyed hash."""
    valid_from: datetime | None
    """None where the tool only says who is a member now."""
    valid_to: datetime | None
    """Exclusive; None while it lasts."""


class Identity(NamedTuple):
    """Two identifiers that the tool says are one person's."""

    alias: str
    """Keyed hash of the one, as of an address in a commit."""
    person: str
    """Keyed hash of the other, as of an account."""


class Service(NamedTuple):
    """Something that is deployed as a whole, as a catalogue describes it."""

    id: str
    name: str
    team: str | None
    """Owner: `Team.id` of the same source."""
    system: str | None
    kind: str
    """In the catalogue's own word: `service`, `website`, `library`, …"""
    tier: str | None
    lifecycle: str | None
    repositories: tuple[str, ...]
    """Addresses of its repositories without credentials, or their names."""
    paths: tuple[str, ...]
    """Folders of a repository it shares with others; none where it has all of it."""
    aliases: tuple[str, ...]
    """What other tools call it, as `pagerduty:PABC123` or `jenkins:shop/deploy`."""


class Ownership(NamedTuple):
    """A team that owned a service, for a time."""

    service: str
    """`Service.id`, one of its aliases, or its name."""
    team: str
    """`Team.id` or its name."""
    valid_from: datetime | None
    """None where it always did."""
    valid_to: datetime | None
    """Exclusive; None while it lasts."""


class CapabilityUse(NamedTuple):
    """Evidence that something the platform offers is used: an event, or a state seen in a snapshot."""

    id: str
    capability: str
    """What was used, as in `template:default/web-service`, `workflow:acme/ci/.github/workflows/build.yml`."""
    subject_kind: str
    """`service`, `team`, `person` or `repository`."""
    subject: str
    """Id within the source; of a person the keyed hash."""
    happened_at: datetime
    """Of an event its time; of a state when it was seen."""
    kind: str
    """`used` for an event; `present` or `absent` for a state."""
    result: str | None
    """For an event that can fail, one of `RESULTS`."""
    finished_at: datetime | None
    """For an event that takes time."""
    version: str | None
    url: str | None
    place: str | None = None
    """Path of the file in a repository that used it, as of a workflow."""


class CapabilityState(NamedTuple):
    """Something the platform offers that a subject has, as a snapshot shows it; shown no more, it is gone."""

    capability: str
    """As in `CapabilityUse`: `image:registry.acme.example/platform/python`, `label:acme.example/runtime`."""
    subject_kind: str
    """`service`, `team` or `repository`."""
    subject: str
    """Id within the source; of a service also one of its aliases."""
    place: str
    """Where it is seen, as a file's path or a workload: one subject may have it several times."""
    version: str | None
    folders: tuple[str, ...]
    """Folders of a repository that it is about; none where it is about all of it."""
    url: str | None


RESULTS = ("success", "failed", "cancelled", "skipped", "running", "unknown")
"""How runs, jobs, deployments and uses end; `running` holds from being queued to the end."""

Record = (
    Repository
    | Commit
    | Ref
    | PullRequest
    | PipelineRun
    | Job
    | Deployment
    | Release
    | Incident
    | ChangeEvent
    | Team
    | Membership
    | Identity
    | Service
    | Ownership
    | CapabilityUse
    | CapabilityState
)

STREAMS: dict[str, type[Record]] = {
    "repository": Repository,
    "commit": Commit,
    "ref": Ref,
    "pull_request": PullRequest,
    "pipeline_run": PipelineRun,
    "job": Job,
    "deployment": Deployment,
    "release": Release,
    "incident": Incident,
    "change_event": ChangeEvent,
    "team": Team,
    "membership": Membership,
    "identity": Identity,
    "service": Service,
    "ownership": Ownership,
    "capability_use": CapabilityUse,
    "capability_state": CapabilityState,
}
"""Stream name → record type; a stream lands under its name and loads into `raw.<name>`."""

KEYS: dict[str, tuple[str, ...]] = {
    "repository": ("id",),
    "commit": ("repository", "sha"),
    "ref": ("repository", "kind", "name"),
    "pull_request": ("repository", "number"),
    "pipeline_run": ("id", "attempt"),
    "job": ("id",),
    "deployment": ("id",),
    "release": ("repository", "tag"),
    "incident": ("id",),
    "change_event": ("id",),
    "team": ("id",),
    "membership": ("team", "person", "valid_from"),
    "identity": ("alias", "person"),
    "service": ("id",),
    "ownership": ("service", "team", "valid_from"),
    "capability_use": ("id",),
    "capability_state": ("subject_kind", "subject", "capability", "place", "version"),
}
"""Stream name → the fields that identify a record within its source."""
