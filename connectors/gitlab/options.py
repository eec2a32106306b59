"""Settings of a `gitlab` source."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator

from connectors.connector import Options
from connectors.http import Auth, bearer
from connectors.web_address import MirrorAddress, WebAddress


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"is no regular expression: {error}") from None
    return text


class GitLabOptions(Options):
    """Settings of a `gitlab` source. `group`, `projects` or both must be given."""

    url: WebAddress = "https://gitlab.com"
    """Address of GitLab, with the path it is served below, as in `https://acme.example/gitlab`."""
    token: SecretStr
    """An access token of a person, group or project with the scopes `read_api` and `read_repository`."""
    group: Annotated[str, Field(pattern=r"^[\w.-]+(/[\w.-]+)*$")] | None = None
    """Full path of a group, as in `acme/shop`: its projects and those of its subgroups are read. Without it,
    those that the token's owner is a member of."""
    projects: tuple[str, ...] = ()
    """Patterns of projects' full paths, as in `["acme/*", "!acme/sandbox/*"]`; those that begin with `!` are
    left out. All without any."""
    archived: bool = False
    """Whether archived projects are read that were not read before."""
    forks: bool = False
    """Whether forks are read."""
    git: MirrorAddress | None = None
    """Folder or URL below which `GROUP/PROJECT.git` is cloned instead of from GitLab, without credentials: an
    internal mirror. A relative path begins at the workspace file's folder."""
    folders: Annotated[int, Field(ge=1)] | None = None
    """How many levels deep to read which folders each commit touches: as many as the deepest of the services'
    `paths` has. Not at all without it. Changed, it has all commits read again."""
    evidence: bool = True
    """Whether CI includes, Dockerfiles, charts and Terraform at HEAD are read for what they use of others."""
    releases: str = r"^v?\d+\.\d+\.\d+$"
    """Tags that are deployments where a project has no other: an RE2 pattern, searched for in the name."""
    hotfix_branches: Annotated[str, AfterValidator(_pattern)] = r"^hotfix[/_-]"
    """Merge requests from branches that match are hotfixes: a pattern, searched for in the name."""
    incident_labels: tuple[str, ...] = ()
    """Issues with one of these labels are incidents, beside those of the type `incident`."""
    jobs: int | None = Field(default=None, ge=0)
    """Days back that jobs are read; none for 0, all without it. A request brings 100. A pipeline without
    jobs has no known start, and is taken to end when GitLab last changed it."""
    since: date | None = None
    """Day (UTC) before which merge requests, pipelines, deployments and incidents (by their last change) and
    releases are not read. Commits always are: others build on them."""
    at_once: int = Field(default=4, ge=1, le=16)
    """How many projects are read at a time."""

    @model_validator(mode="after")
    def _names_projects(self) -> Self:
        if self.group is None and not self.projects:
            raise ValueError("give `group`, `projects` or both")
        return self

    @property
    def patterns(self) -> tuple[str, ...]:
        """Of projects to read."""
        return self.projects or ("*",)

    def auth(self) -> Auth:
        """Raises `SourceError` for a token that no header can carry."""
        return bearer(self.token, header="PRIVATE-TOKEN", scheme="")

    def clone_url(self, path: str) -> str:
        """Where git finds a project. From the settings alone: credentials go there."""
        return f"{self.git or self.url}/{path}.git"

    def git_password(self) -> SecretStr | None:
        """What git shows where it clones from."""
        return None if self.git else self.token
