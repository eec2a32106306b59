"""git: commits, branches and tags over the git protocol, for every host alike."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import closing
from typing import Annotated, TypeVar

from pydantic import AfterValidator, Field, JsonValue, ValidationInfo

from connectors.connector import Batch, Connector, Covered, Item, Note, Options, Problem
from connectors.git import locations as git_locations
from connectors.git import mirror as git_mirror
from connectors.git.cli import Git, GitError
from connectors.git.locations import Location
from connectors.git.reading import Prepared, Reading
from connectors.records import Repository

_AT_ONCE = 4

T = TypeVar("T")


def _located(entry: str, info: ValidationInfo) -> str:
    if fault := git_locations.fault(entry):
        raise ValueError(fault)
    folder = (info.context or {}).get("folder")
    return git_locations.from_folder(entry, folder) if folder else entry


class GitOptions(Options):
    """Settings of a `git` source."""

    repositories: tuple[Annotated[str, AfterValidator(_located)], ...] = Field(min_length=1, repr=False)
    """Paths, globs of paths, and URLs (`https://`, `ssh://`, `file://`, `git@host:path`).
    A URL may carry a user and a password or token."""
    releases: str = r"^v?\d+\.\d+\.\d+$"
    """Tags that are deployments: an RE2 pattern, searched for in the tag's name."""
    folders: Annotated[int, Field(ge=1)] | None = None
    """How many levels deep to read which folders each commit touches: as many as the deepest of the services'
    `paths` has. Not at all without it. Changed, it has all commits read again."""
    evidence: bool = False
    """Whether CI files, Dockerfiles, charts and Terraform at HEAD are read for what they use of others."""


class GitConnector(Connector):
    """Reads commits, branches and tags of git repositories; needs the `git` command."""

    kind = "git"
    streams = ("repository", "commit", "ref", "capability_state")
    options_type = GitOptions
    options: GitOptions

    @classmethod
    def streams_of(cls, options: Options) -> tuple[str, ...]:
        """All but what files show, where that is not asked for."""
        assert isinstance(options, GitOptions)
        return cls.streams if options.evidence else cls.streams[:-1]

    def read(self, cursors: Mapping[str, JsonValue]) -> Iterator[Item]:
        """Per repository with something new: commits, then itself if it changed, then refs and cursor.

        Raises `SourceError` where git is missing or too old.
        """
        self.context.cache.mkdir(parents=True, exist_ok=True)
        git_mirror.clear_unfinished(self.context.cache)
        git = Git()
        locations, problems = git_locations.locate(self.options.repositories, git)
        yield from problems
        with_evidence = self.options.evidence
        reading = Reading(git, self.context, self.options.folders, with_evidence=with_evidence)
        with closing(_each(locations, lambda one: reading.prepare(one, cursors.get(one.id)), git)) as each:
            for location, future in each:
                try:
                    yield from _items(reading, location, future.result(), cursors.get(location.id))
                except (GitError, OSError) as error:
                    yield _problem(location, error)

    def check(self) -> Iterator[Problem | Note]:
        """Ask every repository for its refs, and copy nothing."""
        git = Git()
        locations, problems = git_locations.locate(self.options.repositories, git)
        yield from problems
        with closing(_each(locations, lambda one: git_mirror.advertised(one, git), git)) as each:
            for location, future in each:
                try:
                    if future.result().is_empty:
                        yield Note(location.id, "the repository is empty")
                except (GitError, OSError) as error:
                    yield _problem(location, error)


def _items(reading: Reading, location: Location, prepared: Prepared, cursor: JsonValue) -> Iterator[Item]:
    """What is new in a repository, itself before the refs, which carry the cursor; raises `GitError`."""
    for item in reading.items(location, prepared, cursor):
        if isinstance(item, Batch) and isinstance(now := item.cursor, dict):
            before = cursor if isinstance(cursor, dict) else {}
            if any(before.get(field) != now[field] for field in ("name", "url", "default_branch")):
                branch = prepared.default_branch
                repository = Repository(location.id, location.name, location.url, branch, archived=False)
                yield Batch("repository", location.id, [repository], is_whole=True)
        yield item
    yield Covered(location.id, prepared.began, reading.looked_for(location.id))


def _each(
    locations: Iterable[Location], work: Callable[[Location], T], git: Git
) -> Generator[tuple[Location, Future[T]], None, None]:
    """Do `work` for a few locations at a time; yield each as it is done."""
    pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="git")
    try:
        futures = {pool.submit(work, location): location for location in locations}
        for future in as_completed(futures):
            yield futures[future], future
    finally:
        git.stop()
        pool.shutdown(cancel_futures=True)


def _problem(location: Location, error: GitError | OSError) -> Problem:
    if isinstance(error, GitError):
        return Problem(location.id, str(error), error.mend, error.is_transient)
    return Problem(location.id, f"{error.strerror}: {error.filename}", "look at the disk of CAIRN_HOME")
