"""Events that can be pushed: their fields, and the records they become."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from connectors.connector import Context
from connectors.parsing import Malformed, moment
from connectors.records import CapabilityUse, Deployment, Incident
from connectors.webhooks import environment_name


def _refusal(what: str, mend: str) -> PydanticCustomError:
    return PydanticCustomError("refused", "{what}", {"what": what, "mend": mend})


def _printable(text: str) -> str:
    if not text.isprintable():
        raise _refusal("holds a control character", "Remove it")
    return text


def _instant(value: object) -> datetime:
    try:
        return moment(value if isinstance(value, str) else "?")
    except Malformed as error:
        raise _refusal(str(error), "Write it as 2026-03-01T12:00:00Z") from None


def _link(text: str) -> str:
    try:
        parts = urlsplit(text)
        is_whole = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        is_whole = False
    if not is_whole:
        raise _refusal("is no web address", "Write it as https://host/path")
    if parts.username or parts.password:
        raise _refusal("holds a user or password", "Remove it")
    return text


Line = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), AfterValidator(_printable)
]
Link = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=2000),
    AfterValidator(_printable),
    AfterValidator(_link),
]
Sha = Annotated[str, StringConstraints(pattern=r"^[0-9a-fA-F]{40}([0-9a-fA-F]{24})?$", to_lower=True)]
Instant = Annotated[
    datetime, BeforeValidator(_instant), WithJsonSchema({"type": "string", "format": "date-time"})
]
Result = Literal["success", "failed", "cancelled", "skipped", "running", "unknown"]


class _Fields(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, hide_input_in_errors=True, use_attribute_docstrings=True
    )


class Event(_Fields):
    """What all events have."""

    id: Line
    """Yours, and the same whenever you tell of the same thing: what is sent again replaces what was."""


class RepositoryCommit(_Fields):
    """What was deployed of one of several repositories."""

    repository_url: Link
    """Address of the repository."""
    sha: Sha
    """The whole hash of the commit."""


def _distinct(commits: list[RepositoryCommit]) -> list[RepositoryCommit]:
    if len({each.repository_url for each in commits}) < len(commits):
        raise _refusal("names a repository twice", "Name each repository once")
    return commits


class DeploymentEvent(Event):
    """One attempt to bring a version to an environment."""

    repository_url: Link | None = None
    """Address of the repository."""
    commits: (
        Annotated[list[RepositoryCommit], Field(min_length=1, max_length=100), AfterValidator(_distinct)]
        | None
    ) = None
    """Where several repositories are deployed together, each of them, in place of `repository_url` and `sha`.
    Sent again, it names the same ones."""
    service: Line | None = None
    """Name of what is deployed; enough where it is built from one repository."""
    environment: Line
    """As `production`."""
    is_production: bool | None = None
    """Where you know better than the workspace's rule for names of environments."""
    sha: Sha | None = None
    """The whole hash of the commit."""
    ref: Line | None = None
    """Tag or branch."""
    status: Result
    """How it ended; `running` from being queued to the end."""
    created_at: Instant
    """When it was asked for."""
    started_at: Instant | None = None
    """When the work began."""
    finished_at: Instant | None = None
    """The first success, else the end; to be left out while it runs."""
    url: Link | None = None
    """Where a person can follow it."""

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if not (self.repository_url or self.service or self.commits):
            raise _refusal("says not what is deployed", "Add repository_url, commits or service")
        if self.commits and (self.repository_url or self.sha):
            raise _refusal("names a commit beside commits", "Put it into commits, or leave commits out")
        if (self.finished_at is None) != (self.status == "running"):
            raise _refusal(
                "has to have finished_at unless it is running",
                "Add finished_at where it has ended, remove it where it has not",
            )
        return self

    def records(self, context: Context) -> Sequence[Deployment]:
        """As it lands: of several repositories one for each."""
        fields: dict[str, Any] = self.model_dump(exclude={"commits"})
        fields["repository"] = None
        fields["environment"] = environment_name(self.environment)
        fields["ref"] = self.ref and context.branch(self.ref)
        whole = Deployment(**fields)
        if self.commits is None:
            return [whole]
        return [
            whole._replace(
                id=f"{self.id}/{number}",
                repository_url=commit.repository_url,
                sha=commit.sha,
                rollout=self.id,
            )
            for number, commit in enumerate(self.commits, 1)
        ]


class IncidentEvent(Event):
    """Something that was wrong with a service."""

    service: Line | None = None
    """Affected, by its id, one of its aliases, or its name."""
    repository: Line | None = None
    """Id of the repository, where this source has it."""
    severity: Line | None = None
    """In your own word."""
    status: Literal["open", "acknowledged", "resolved"]
    """How it stands."""
    opened_at: Instant
    """When it began, or was noticed."""
    acknowledged_at: Instant | None = None
    """First acknowledgement by a human."""
    resolved_at: Instant | None = None
    """The last resolution; to be left out while it is open."""
    deployment: Line | None = None
    """Id of the deployment that caused it."""
    sha: Sha | None = None
    """Commit that caused it."""
    change_number: Annotated[int, Field(ge=1, lt=2**63)] | None = None
    """Pull request that caused it."""
    url: Link | None = None
    """Where a person can follow it."""

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if (self.resolved_at is None) == (self.status == "resolved"):
            raise _refusal(
                "has to have resolved_at where it is resolved, and there alone",
                "Add resolved_at where it is resolved, remove it where it is not",
            )
        return self

    def records(self, _context: Context) -> Sequence[Incident]:
        """As it lands."""
        return [Incident(**self.model_dump())]


class AdoptionEvent(Event):
    """Evidence that something the platform offers is used."""

    capability: Line
    """What was used, as `template:default/web-service`."""
    subject_kind: Literal["service", "team", "person", "repository"]
    """What `subject` is."""
    subject: Line
    """Who or what used it: an id; of a person the account or address, which is hashed and not kept."""
    happened_at: Instant
    """Of an event its time; of a state when it was seen."""
    kind: Literal["used", "present", "absent"] = "used"
    """`used` for an event; `present` or `absent` for a state."""
    result: Result | None = None
    """For an event that can fail."""
    finished_at: Instant | None = None
    """For an event that takes time."""
    version: Line | None = None
    """Of what was used."""
    url: Link | None = None
    """Where a person can see it."""

    def records(self, context: Context) -> Sequence[CapabilityUse]:
        """As it lands: a person by a keyed hash."""
        fields = self.model_dump()
        if self.subject_kind == "person":
            fields["subject"] = context.person(self.subject)
        return [CapabilityUse(**fields)]
