"""Reading one repository of GitHub, part by part; a part that fails leaves the others be."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial

from pydantic import JsonValue

from connectors.connector import Batch, Covered, Item, Problem, SourceError
from connectors.git.evidence import Host
from connectors.git.hosted import HostedGit
from connectors.github import actions as github_actions
from connectors.github import deployments as github_deployments
from connectors.github import incidents as github_incidents
from connectors.github import pull_requests as github_pull_requests
from connectors.github import releases as github_releases
from connectors.github.api import GitHub, Listed, Progress, is_out_of_bounds, out_of_bounds
from connectors.github.options import GitHubOptions
from connectors.http import HttpError, NotFound, Unauthorized, Unavailable
from connectors.records import Repository

log = logging.getLogger(__name__)

_MOST_UNREACHABLE = 3
"""Repositories in a row for which there is no answer; then GitHub is taken for down."""


class Reading:
    """One run over the repositories of a source; safe in several threads, one repository in each."""

    def __init__(self, source: str, github: GitHub, options: GitHubOptions, git: HostedGit) -> None:
        self._source = source
        self._github = github
        self._options = options
        self._git = git
        self._is_hotfix = re.compile(options.hotfix_branches)
        self._lock = threading.Lock()
        self._out_of_bounds: set[str] = set()
        self._unreachable = 0

    def items(self, repository: Listed, cursor: JsonValue) -> Iterator[Item]:
        """Yield what is new in a repository. Raises `HttpError` where nothing more can be had of any."""
        began = datetime.now(UTC)
        progress = Progress(repository.id, cursor)
        is_covered = True
        yield from _itself(repository, progress)
        for part, read in self._parts(repository, progress).items():
            # What the credentials may not read is said once, and is no gap in what they may.
            if part in self._out_of_bounds or part not in repository.marks:
                continue
            if not self._has_news(part, repository, progress):
                continue
            try:
                yield from read()
                self._unreachable = 0
            except SourceError as error:
                yield from self._problem(repository, part, error)
                is_covered = is_covered and part in self._out_of_bounds
                if isinstance(error, NotFound | Unavailable):
                    break
            except (KeyError, TypeError, ValueError, AttributeError):
                log.exception("%s of repository %s", part, repository.id)
                is_covered = False
                yield Problem(
                    repository.id,
                    f"{repository.name}: GitHub's answer about its {part} has another shape than documented",
                    "If it stays so, please report it; the other repositories are read.",
                )
        yield from progress.rest()
        if is_covered:
            yield Covered(repository.id, began, self._git.looked_for(repository.id))

    def _has_news(self, part: str, repository: Listed, progress: Progress) -> bool:
        """Whether a part may have changed, as far as the list of repositories tells."""
        known, mark = progress.part(part), repository.marks[part]
        if part == "deployment" and known.get("under_way"):
            return True
        if part == "commit" and self._git.is_read_otherwise(dict(progress.part("git"))):
            return True
        return mark is None or (known.get("mark") != mark and (bool(known) or part not in repository.without))

    def _parts(self, repository: Listed, progress: Progress) -> dict[str, Callable[[], Iterator[Item]]]:
        """What is read of a repository, under the names of `Listed.marks`."""
        options = self._options
        bound = (self._github, repository)
        parts: dict[str, Callable[[], Iterator[Item]]] = {
            "pull_request": partial(github_pull_requests.read, *bound, progress, self._is_hotfix),
            "deployment": partial(github_deployments.read, *bound, progress),
            "release": partial(github_releases.read, *bound, progress),
            "pipeline_run": partial(github_actions.read, *bound, progress, options.jobs),
            "commit": partial(self._commits, repository, progress),
        }
        if options.incident_labels:
            parts["incident"] = partial(github_incidents.read, *bound, options.incident_labels, progress)
        return parts

    def _commits(self, repository: Listed, progress: Progress) -> Iterator[Item]:
        commit: JsonValue = {"mark": repository.marks["commit"]}
        url = self._options.clone_url(repository.owner, repository.name)
        host = Host(repository.full_name, f"{repository.url}/blob/HEAD/")
        for item in self._git.read(repository.id, url, dict(progress.part("git")) or None, host):
            if isinstance(item, Batch) and item.cursor is not None:
                progress.move(git=item.cursor, commit=commit)
                yield item._replace(cursor=progress.carried())
            else:
                yield item
        progress.move(commit=commit)

    def _problem(self, repository: Listed, part: str, error: SourceError) -> Iterator[Problem]:
        """What to say of a part that failed; raises what no other repository would be spared."""
        if isinstance(error, Unauthorized):
            raise error
        if isinstance(error, Unavailable):
            if error.status in {403, 429}:
                raise error
            if error.status is None:
                self._unreachable += 1
                if self._unreachable >= _MOST_UNREACHABLE:
                    raise error
        if isinstance(error, HttpError) and is_out_of_bounds(error):
            with self._lock:
                is_first = part not in self._out_of_bounds
                self._out_of_bounds.add(part)
            if is_first:
                yield out_of_bounds(self._source, part, str(error))
            return
        yield Problem(repository.id, f"{repository.name}: {error}", error.mend, error.is_transient)


def _itself(repository: Listed, progress: Progress) -> Iterator[Batch]:
    """The repository, where it is not as the cursor knows it."""
    record = Repository(
        id=repository.id,
        name=repository.name,
        url=repository.url,
        default_branch=repository.default_branch,
        archived=repository.is_archived,
    )
    known: dict[str, JsonValue] = {
        "url": record.url,
        "default_branch": record.default_branch,
        "archived": record.archived,
    }
    if progress.part("itself") != {**known, "name": record.name}:
        yield from progress.batches(("repository", [record]), itself={**known, "name": record.name})
