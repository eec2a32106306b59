"""Reading one project of GitLab, part by part; a part that fails leaves the others be."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial

from pydantic import JsonValue

from connectors.connector import Batch, Covered, Item, Note, Problem, Retained, SourceError
from connectors.git.evidence import Host
from connectors.git.hosted import HostedGit
from connectors.gitlab import deployments as gitlab_deployments
from connectors.gitlab import incidents as gitlab_incidents
from connectors.gitlab import merge_requests as gitlab_merge_requests
from connectors.gitlab import pipelines as gitlab_pipelines
from connectors.gitlab import releases as gitlab_releases
from connectors.gitlab.api import GitLab, Progress, Project
from connectors.gitlab.discussions import Discussions
from connectors.gitlab.options import GitLabOptions
from connectors.http import Forbidden, NotFound, Unauthorized, Unavailable
from connectors.records import Repository
from connectors.snapshot import digest

_SETTLED = timedelta(minutes=65)
"""After an activity that GitLab noted, it notes no other for an hour."""

_OFFLINE = {"commits"}
"""Parts that ask nothing of the API."""


class Reading:
    """One run over the projects of a source; safe in several threads, one project in each."""

    def __init__(self, gitlab: GitLab, options: GitLabOptions, git: HostedGit) -> None:
        self._gitlab = gitlab
        self._options = options
        self._git = git
        self._discussions = Discussions(gitlab)
        self._is_hotfix = re.compile(options.hotfix_branches)

    def items(self, project: Project, told_at: datetime, cursor: JsonValue) -> Iterator[Item]:
        """Yield what is new in a project, which GitLab listed when its clock said `told_at`.

        Raises `Unauthorized` where the token is no longer accepted.
        """
        began = datetime.now(UTC)
        progress = Progress(project.id, cursor)
        progress.move(path=project.path)
        refused: list[SourceError] = []
        has_failed = False
        parts = self._parts(project, progress)
        for part, read in parts.items():
            try:
                yield from read()
            except Unauthorized:
                raise
            except (Forbidden, NotFound) as error:
                refused.append(error)
                yield Note(project.id, f"{part} are not read: {error}")
            except SourceError as error:
                has_failed = True
                yield Problem(project.id, f"{part}: {error}", error.mend, error.is_transient)
                if isinstance(error, Unavailable):
                    break
        if refused and self._is_gone(project):
            yield Retained(project.id, f"{project.path} was listed, and then there no longer")
            return
        if refused and len(refused) >= len(parts.keys() - _OFFLINE):
            has_failed = True
            yield Problem(project.id, str(refused[0]), refused[0].mend)
        yield from self._itself(project, progress, None if has_failed else told_at)
        if not has_failed:
            yield Covered(project.id, began, self._git.looked_for(project.id))

    def _parts(self, project: Project, progress: Progress) -> dict[str, Callable[[], Iterator[Item]]]:
        """What is read of a project, under names for people."""
        gitlab, options = self._gitlab, self._options
        off = project.off
        parts: dict[str, Callable[[], Iterator[Item]]] = {}
        if "merge_requests" not in off and "repository" not in off:
            parts["merge requests"] = partial(
                gitlab_merge_requests.read, gitlab, project, progress, self._discussions, self._is_hotfix
            )
        if "builds" not in off:
            parts["pipelines"] = partial(gitlab_pipelines.read, gitlab, project, progress, options.jobs)
            if "environments" not in off:
                parts["deployments"] = partial(gitlab_deployments.read, gitlab, project, progress)
        if "issues" not in off:
            parts["incidents"] = partial(
                gitlab_incidents.read, gitlab, project, options.incident_labels, progress
            )
        if "repository" not in off and not self._is_quiet(project, progress):
            if "releases" not in off:
                parts["releases"] = partial(gitlab_releases.read, gitlab, project, progress)
            parts["commits"] = partial(self._commits, project, progress)
        return parts

    def _is_quiet(self, project: Project, progress: Progress) -> bool:
        """Whether nobody pushed anything since the last reading, by what GitLab says of the project."""
        known = progress.state.get("active_at")
        return (
            not project.is_mirror
            and project.active_at is not None
            and known == project.active_at.isoformat()
            and not self._git.is_read_otherwise(progress.state.get("git"))
        )

    def _commits(self, project: Project, progress: Progress) -> Iterator[Item]:
        """Raises `SourceError`."""
        if project.is_empty and "git" not in progress.state:
            yield Note(project.id, "the repository is empty")
            return
        url = self._options.clone_url(project.path)
        # Where it is kept elsewhere, its path is an address, or names another project.
        is_elsewhere = "@" in project.ci_path or ":" in project.ci_path
        ci_file = "" if is_elsewhere else project.ci_path
        host = Host(project.path, f"{project.url}/-/blob/HEAD/", ci_file)
        for item in self._git.read(project.id, url, progress.state.get("git"), host):
            if isinstance(item, Batch) and item.cursor is not None:
                yield progress.batch(item.stream, item.records, is_whole=item.is_whole, git=item.cursor)
            else:
                yield item

    def _itself(self, project: Project, progress: Progress, told_at: datetime | None) -> Iterator[Item]:
        """The project, where it is not as known; and that all of it was read at `told_at`."""
        repository = Repository(
            project.id, project.name, project.url, project.default_branch, project.is_archived
        )
        now = digest([repository])
        # Only then would the next activity show.
        if told_at and project.active_at and told_at - project.active_at > _SETTLED:
            progress.move(active_at=project.active_at.isoformat())
        if progress.state.get("repository") != now:
            yield progress.batch("repository", [repository], is_whole=True, repository=now)
        yield from progress.rest()

    def _is_gone(self, project: Project) -> bool:
        try:
            self._gitlab.get(f"/projects/{project.id}", "repository")
        except NotFound:
            return True
        except SourceError:
            return False
        return False
