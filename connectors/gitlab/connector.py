"""GitLab: projects, merge requests, pipelines, jobs, deployments, incidents, releases, groups, capabilities.

GitLab.com and self-managed GitLab are read alike, over the REST API, with GraphQL where it saves
requests. Commits come over the git protocol. An unchanged project costs a request for each of merge
requests, pipelines, deployments and issues: GitLab notes no activity of CI anywhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import partial

from pydantic import JsonValue

from connectors.connector import Connector, Covered, Item, Note, Options, Problem, Quarantined, Retained
from connectors.git.hosted import HostedGit
from connectors.gitlab import check as gitlab_check
from connectors.gitlab import groups as gitlab_groups
from connectors.gitlab import projects as gitlab_projects
from connectors.gitlab.api import GitLab, Project
from connectors.gitlab.options import GitLabOptions
from connectors.gitlab.reading import Reading
from connectors.http import Client, HttpError, Unauthorized
from connectors.parallel import interleaved
from connectors.patterns import is_wanted
from connectors.snapshot import fields


class GitLabConnector(Connector):
    """Reads the projects of a group, or of an account; needs the `git` command.

    A scope is a project, by GitLab's number, or `teams`. A person is known by their user name.
    """

    kind = "gitlab"
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
        "capability_state",
    )
    options_type = GitLabOptions
    options: GitLabOptions

    @classmethod
    def streams_of(cls, options: Options) -> tuple[str, ...]:
        """All but jobs and what files show, where those are not asked for."""
        assert isinstance(options, GitLabOptions)
        without = {"job"} if options.jobs == 0 else set()
        without |= {"capability_state"} if not options.evidence else set()
        return tuple(stream for stream in cls.streams if stream not in without)

    def read(self, cursors: Mapping[str, JsonValue]) -> Iterator[Item]:
        """Groups, and per project what is new in it.

        Raises `SourceError` where the projects cannot be listed, or git is missing.
        """
        options = self.options
        git = HostedGit(
            self.context,
            user="oauth2",
            password=options.git_password(),
            folders=options.folders,
            with_evidence=options.evidence,
        )
        client = self._client()
        gitlab = GitLab(client, self.context, options.since)
        items = None
        try:
            listed: dict[str, tuple[Project, datetime]] = {}
            is_whole = True
            try:
                for each in gitlab_projects.listed(gitlab, options):
                    if isinstance(each, Quarantined):
                        yield each
                    else:
                        listed[each[0].id] = each
            except HttpError as error:
                if not listed or isinstance(error, Unauthorized):
                    raise
                is_whole = False
                yield Problem(
                    self.name, f"not all projects are listed: {error}", error.mend, error.is_transient
                )
            if is_whole:
                yield from self._retained(cursors, listed)
            reading = Reading(gitlab, options, git)
            readers: list[Callable[[], Iterator[Item]]] = [
                partial(self._teams, gitlab, cursors.get(gitlab_groups.SCOPE)),
                *(
                    partial(reading.items, project, told_at, cursors.get(project.id))
                    for project, told_at in listed.values()
                    if gitlab_projects.is_read(project, options, is_known=project.id in cursors)
                ),
            ]
            items = interleaved(readers, options.at_once)
            yield from items
        finally:
            # First what is waited for, then those that wait.
            client.close()
            git.close()
            if items is not None:
                items.close()

    def check(self) -> Iterator[Problem | Note]:
        """Say what the token may do, and which projects are passed over."""
        with self._client() as client:
            gitlab = GitLab(client, self.context, self.options.since)
            try:
                yield from gitlab_check.check(self.name, gitlab, self.options)
            except HttpError as error:
                yield Problem(self.name, str(error), error.mend, error.is_transient)

    def _client(self) -> Client:
        return Client(f"{self.options.url}/api", auth=self.options.auth(), at_once=self.options.at_once)

    def _retained(self, cursors: Mapping[str, JsonValue], listed: Mapping[str, object]) -> Iterator[Retained]:
        """Projects known from their cursors that GitLab no longer lists."""
        for scope, cursor in cursors.items():
            path = fields(cursor).get("path")
            if scope not in listed and isinstance(path, str) and is_wanted(path, self.options.patterns):
                yield Retained(scope, f"{path} was deleted or moved, or is hidden from the token by now")

    def _teams(self, gitlab: GitLab, cursor: JsonValue) -> Iterator[Item]:
        began = datetime.now(UTC)
        try:
            yield from gitlab_groups.read(gitlab, self.options.group, cursor)
            yield Covered(gitlab_groups.SCOPE, began)
        except Unauthorized:
            raise
        except HttpError as error:
            yield Problem(gitlab_groups.SCOPE, f"no groups are read: {error}", error.mend, error.is_transient)
