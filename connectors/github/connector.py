"""GitHub: repositories, pull requests, Actions, deployments, releases, incidents, teams, capabilities.

One list of the account's repositories tells where there is news; an unchanged repository costs one
further request, which GitHub does not count against the rate limit. The cloud and Enterprise
Server are read alike, with a token or as a GitHub App. Commits come over the git protocol.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import partial

from pydantic import JsonValue

from connectors.connector import (
    Connector,
    Contact,
    Covered,
    Item,
    Note,
    Options,
    Problem,
    Retained,
    SourceError,
)
from connectors.git.hosted import HostedGit
from connectors.github import check as github_check
from connectors.github import teams as github_teams
from connectors.github.api import GitHub, Listed
from connectors.github.listing import Listing
from connectors.github.options import GitHubOptions
from connectors.github.reading import Reading
from connectors.http import Client, HttpError, Unauthorized
from connectors.parallel import interleaved
from connectors.patterns import is_wanted
from connectors.snapshot import fields

_HEADERS = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}


class GitHubConnector(Connector):
    """Reads the repositories of one account; needs the `git` command.

    A scope is a repository, by GitHub's number, or `teams`. A person is known by their login.
    """

    kind = "github"
    streams = (
        "repository",
        "commit",
        "ref",
        "pull_request",
        "pipeline_run",
        "job",
        "deployment",
        "release",
        "incident",
        "team",
        "membership",
        "identity",
        "capability_use",
        "capability_state",
    )
    options_type = GitHubOptions
    options: GitHubOptions

    @classmethod
    def streams_of(cls, options: Options) -> tuple[str, ...]:
        """All but jobs, incidents and what files show, where those are not asked for."""
        assert isinstance(options, GitHubOptions)
        without = {"job"} if not options.jobs else set()
        without |= {"incident"} if not options.incident_labels else set()
        without |= {"capability_state"} if not options.evidence else set()
        return tuple(stream for stream in cls.streams if stream not in without)

    def read(self, cursors: Mapping[str, JsonValue]) -> Iterator[Item]:
        """Teams, and per repository with news what is new in it.

        Raises `SourceError` where the repositories cannot be listed, or git is missing.
        """
        options = self.options
        git = HostedGit(
            self.context,
            user="x-access-token",
            password=options.git_password(),
            folders=options.folders,
            with_evidence=options.evidence,
        )
        client = self._client()
        github = GitHub(client, self.context, options.graphql_path, options.since)
        listing = Listing(github, self.name, options.organization, options.incident_labels)
        items = None
        try:
            listed: dict[str, Listed] = {}
            is_whole = True
            try:
                for each in listing.repositories():
                    if isinstance(each, Listed):
                        listed[each.id] = each
                    else:
                        yield each
            except HttpError as error:
                if not listed or isinstance(error, Unauthorized):
                    raise
                is_whole = False
                yield Problem(
                    self.name, f"not all repositories are listed: {error}", error.mend, error.is_transient
                )
            if is_whole:
                yield from self._retained(cursors, listed)
            reading = Reading(self.name, github, options, git)
            readers: list[Callable[[], Iterator[Item]]] = [
                partial(reading.items, repository, cursors.get(repository.id))
                for repository in listed.values()
                if self._is_wanted(repository)
            ]
            if listing.is_organization:
                readers.insert(0, partial(self._teams, github, cursors.get(github_teams.SCOPE)))
            items = interleaved(readers, options.at_once)
            try:
                yield from items
            except HttpError as error:
                yield Problem(self.name, str(error), error.mend, error.is_transient)
        finally:
            # First what is waited for, then those that wait.
            client.close()
            git.close()
            if items is not None:
                items.close()

    def check(self) -> Iterator[Problem | Note]:
        """Say who the credentials are, what they may not see, and which repositories are passed over."""
        try:
            with self._client() as client:
                github = GitHub(client, self.context, self.options.graphql_path, self.options.since)
                yield from github_check.check(self.name, github, self.options)
        except SourceError as error:
            yield Problem(self.name, str(error), error.mend, error.is_transient)

    def contacts(self) -> Iterator[Contact]:
        """The organisation's members."""
        with self._client() as client:
            github = GitHub(client, self.context, self.options.graphql_path, self.options.since)
            yield from github_teams.contacts(github, self.options.organization)

    def _client(self) -> Client:
        options = self.options
        return Client(options.url, auth=options.auth(), headers=_HEADERS, at_once=options.at_once)

    def _is_wanted(self, repository: Listed) -> bool:
        options = self.options
        return is_wanted(repository.name, options.repositories) and (options.forks or not repository.is_fork)

    def _retained(self, cursors: Mapping[str, JsonValue], listed: Mapping[str, Listed]) -> Iterator[Retained]:
        """Repositories known from their cursors that GitHub no longer lists."""
        for scope, cursor in cursors.items():
            name = fields(fields(cursor).get("itself")).get("name")
            if scope not in listed and isinstance(name, str) and is_wanted(name, self.options.repositories):
                message = f"{name} was deleted or transferred, or is hidden from these credentials by now"
                yield Retained(scope, message)

    def _teams(self, github: GitHub, cursor: JsonValue) -> Iterator[Item]:
        began = datetime.now(UTC)
        try:
            yield from github_teams.read(github, self.options.organization, cursor)
            yield Covered(github_teams.SCOPE, began)
        except Unauthorized:
            raise
        except HttpError as error:
            mend = error.mend if error.is_transient else github_teams.MEND
            yield Problem(github_teams.SCOPE, f"no teams are read: {error}", mend, error.is_transient)
