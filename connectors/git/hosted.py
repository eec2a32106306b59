"""Commits and refs of repositories that a host's API lists, over the git protocol."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import JsonValue, SecretStr

from connectors.connector import Context, Item, SourceError
from connectors.git import mirror as git_mirror
from connectors.git.cli import Git, GitError, Remote
from connectors.git.evidence import UNKNOWN_HOST, Host
from connectors.git.locations import Location
from connectors.git.reading import Reading


class HostedGit:
    """Reads repositories of one host with one account; safe in several threads, one scope in each.

    Raises `SourceError` where git is missing or too old.
    """

    def __init__(
        self,
        context: Context,
        *,
        user: str,
        password: SecretStr | None,
        folders: int | None = None,
        with_evidence: bool = False,
    ) -> None:
        self._git = Git()
        self._user = user
        self._password = password
        context.cache.mkdir(mode=0o700, parents=True, exist_ok=True)
        git_mirror.clear_unfinished(context.cache)
        self._reading = Reading(self._git, context, folders, with_evidence=with_evidence)

    def read(
        self, scope: str, clone_url: str, cursor: JsonValue, host: Host = UNKNOWN_HOST
    ) -> Iterator[Item]:
        """Yield new commits, what the files at HEAD say, then the refs with the cursor: all where it is new.

        `clone_url` is http(s) or `file://`. Raises `SourceError` in git's words.
        """
        if clone_url.startswith("file://"):
            remote = Remote(clone_url.removeprefix("file://"))
        else:
            password = self._password.get_secret_value() if self._password is not None else ""
            remote = Remote(clone_url, self._user if password else "", password)
        location = Location(scope, "", remote)
        try:
            prepared = self._reading.prepare(location, cursor, host)
            yield from self._reading.items(location, prepared, cursor)
        except GitError as error:
            raise SourceError(str(error), error.mend, is_transient=error.is_transient) from None
        except OSError as error:
            raise SourceError(
                f"{error.strerror}: {error.filename}", "look at the disk of CAIRN_HOME"
            ) from error

    def looked_for(self, scope: str) -> str | None:
        """As `Covered.looked_for`, once the scope was read."""
        return self._reading.looked_for(scope)

    def is_read_otherwise(self, cursor: JsonValue) -> bool:
        """Whether the repository was read before, but not all that is read now."""
        return self._reading.is_read_otherwise(cursor)

    def close(self) -> None:
        """End what git still does."""
        self._git.stop()
