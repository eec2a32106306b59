"""Settings of a `github` source."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationInfo, model_validator

from connectors.connector import Options
from connectors.http import Answer, Auth, Client, bearer, github_app
from connectors.web_address import WebAddress


def _api(url: str) -> str:
    if urlsplit(url).hostname in {"github.com", "www.github.com"}:
        raise ValueError("the API is at https://api.github.com")
    return url


def _mirrors(entry: str, info: ValidationInfo) -> str:
    """The base of addresses to clone from, as a URL."""
    if "://" not in entry:
        folder = (info.context or {}).get("folder") or Path()
        return Path(folder, Path(entry).expanduser()).absolute().as_uri()
    parts = urlsplit(entry)
    if parts.scheme not in {"http", "https", "file"} or parts.username or parts.password:
        raise ValueError("give a path, or a URL (https, http or file) without user and password")
    return entry.rstrip("/")


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"is no regular expression: {error}") from None
    return text


_TOKEN_SECONDS = 1800
"""How long an installation's token is used by git, of the hour it lasts."""


class GitHubApp(BaseModel):
    """A GitHub App that is installed in the organisation."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    id: int | str
    """App ID or client ID."""
    installation: int | None = None
    """Number of the installation; needed where there are several."""
    private_key: SecretStr
    """The whole content of the `.pem` file."""


class GitHubOptions(Options):
    """Settings of a `github` source. Either `token` or `app` must be given."""

    organization: str = Field(pattern=r"^[A-Za-z0-9][\w.-]*$")
    """Login of the organisation or user whose repositories are read."""
    url: Annotated[WebAddress, AfterValidator(_api)] = "https://api.github.com"
    """Address of the API; of Enterprise Server `https://HOST/api/v3`."""
    token: SecretStr | None = None
    """A personal access token: a classic one with the scopes `repo` and `read:org`, or a fine-grained one
    that may read Metadata, Contents, Pull requests, Issues, Actions, Deployments, and the organisation's
    Members."""
    app: GitHubApp | None = None
    """Instead of a token: an App's `id`, `private_key` and `installation`, with the same permissions."""
    repositories: tuple[str, ...] = ("*",)
    """Patterns of names; those that begin with `!` are left out, as in `["*", "!sandbox-*"]`."""
    forks: bool = False
    """Whether forks are read."""
    git: Annotated[str, AfterValidator(_mirrors)] | None = None
    """Folder or URL below which `NAME.git` is cloned instead of from GitHub, without credentials: an internal
    mirror. A relative path begins at the workspace file's folder."""
    folders: Annotated[int, Field(ge=1)] | None = None
    """How many levels deep to read which folders each commit touches: as many as the deepest of the services'
    `paths` has. Not at all without it. Changed, it has all commits read again."""
    evidence: bool = True
    """Whether workflows, Dockerfiles, charts and Terraform at HEAD are read for what they use of others."""
    releases: str = r"^v?\d+\.\d+\.\d+$"
    """Tags that are deployments, in repositories without others: an RE2 pattern, searched for in the name."""
    hotfix_branches: Annotated[str, AfterValidator(_pattern)] = r"^hotfix[/_-]"
    """Pull requests from branches that match are hotfixes: a regular expression, searched for in the name."""
    incident_labels: tuple[str, ...] = ()
    """Issues with one of these labels are incidents; none are without any."""
    jobs: int = Field(default=7, ge=0)
    """Days back from a repository's newest Actions run from which jobs are read; none for 0. Each attempt of
    a run costs a request: 1 000 runs a day cost 7 000 in the first reading, and 1 000 a day from then on."""
    since: date | None = None
    """Day (UTC) before which runs, deployments, releases and incidents are left out, and pull requests that
    were not touched since. Commits never are."""
    at_once: int = Field(default=4, ge=1, le=16)
    """How many repositories are read at a time. GitHub frowns on many."""

    @model_validator(mode="after")
    def _has_one_credential(self) -> Self:
        if (self.token is None) == (self.app is None):
            raise ValueError("give either `token` or `app`")
        return self

    @property
    def graphql_path(self) -> str:
        """Where GraphQL is, as a path below `url` or as a URL."""
        if self.url.endswith("/api/v3"):
            return self.url.removesuffix("v3") + "graphql"
        return "/graphql"

    def auth(self) -> Auth:
        """Raises `SourceError` for a token that no header can carry."""
        if self.app:
            return github_app(self.app.id, self.app.private_key, self.app.installation)
        assert self.token is not None
        return bearer(self.token)

    def clone_url(self, owner: str, name: str) -> str:
        """Where git finds a repository. From the settings alone: credentials go there."""
        if self.git:
            return f"{self.git}/{name}.git"
        parts = urlsplit(self.url)
        is_hosted = parts.hostname == "api.github.com" or str(parts.hostname).endswith(".ghe.com")
        host = parts.netloc.removeprefix("api.") if is_hosted else parts.netloc
        return f"{parts.scheme}://{host}{parts.path.removesuffix('/api/v3')}/{owner}/{name}.git"

    def git_password(self) -> SecretStr | None:
        """What git shows where it clones from."""
        if self.git:
            return None
        return self.token or _InstallationToken(self)


class _InstallationToken(SecretStr):
    """The token of an App's installation, which lasts an hour: asked for when git needs one."""

    def __init__(self, options: GitHubOptions) -> None:
        super().__init__("")
        self._options = options
        self._lock = threading.Lock()
        self._token = ""
        self._good_until = 0.0

    def get_secret_value(self) -> str:
        """Raises `SourceError` where GitHub gives none."""
        with self._lock:
            if time.monotonic() >= self._good_until:
                self._token = self._options.auth().grant(self._send).value.rpartition(" ")[2]
                self._good_until = time.monotonic() + _TOKEN_SECONDS
            return self._token

    def _send(self, method: str, path: str, headers: Mapping[str, str], _: object) -> Answer:
        with Client(self._options.url, headers=headers) as client:
            if method == "POST":
                return client.post(path, {}, stream="auth")
            return client.get(path, stream="auth")
