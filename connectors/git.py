"""git: commits, branches and tags over the git protocol, for every host alike.

Each repository is mirrored without trees and files into `Context.cache`, which one reader at
a time may use, and its commits are read from there. A repository's cursor is the refs it had;
the next run reads what the new refs reach and those did not. What no branch or tag of the
repository reaches (a host's `refs/pull/*`) is not read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import closing
from datetime import UTC, datetime
from typing import Annotated, NamedTuple, TypeVar

from pydantic import AfterValidator, Field, JsonValue, ValidationInfo

from connectors import git_locations, git_mirror
from connectors.connector import Batch, Connector, Context, Covered, Item, Note, Options, Problem, Quarantined
from connectors.git_cli import Git, GitError
from connectors.git_locations import Location
from connectors.git_mirror import Advertised, Mirror, Tip, Tips, instant
from connectors.records import Commit, Ref, Repository

_BATCH_SIZE = 20_000
_AT_ONCE = 4

_KIND = re.compile(
    r'(?P<revert>revert(?: "|(?:\([^)]*\))?!?:))|(?:fix|hotfix|bugfix)(?:\([^)]*\))?!?:', re.IGNORECASE
).match
_NUMBER_AT_END = re.compile(r"\((?:pull request )?#(\d{1,18})\)$").search
_NUMBER_OF_MERGE = re.compile(r"Merge(?:d PR | pull request #)(\d{1,18})\b").match


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


class GitConnector(Connector):
    """Reads commits, branches and tags of git repositories; needs the `git` command."""

    kind = "git"
    streams = ("repository", "commit", "ref")
    options_type = GitOptions
    options: GitOptions

    def read(self, cursors: Mapping[str, JsonValue]) -> Iterator[Item]:
        """Per repository with something new: commits, then itself if it changed, then refs and cursor.

        Raises `SourceError` where git is missing or too old.
        """
        self.context.cache.mkdir(parents=True, exist_ok=True)
        git_mirror.clear_unfinished(self.context.cache)
        git = Git()
        locations, problems = git_locations.locate(self.options.repositories, git)
        yield from problems
        reading = _Reading(git, self.context)
        with closing(_each(locations, lambda one: reading.prepare(one, cursors.get(one.id)), git)) as each:
            for location, future in each:
                try:
                    yield from reading.items(location, future.result(), cursors.get(location.id))
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


class _Prepared(NamedTuple):
    began: datetime
    said: Advertised
    is_changed: bool
    mirror: Mirror | None
    """None where there is no commit to read: nothing new, or nothing at all."""


class _Reading:
    """One run over the repositories of a source."""

    def __init__(self, git: Git, context: Context) -> None:
        self._git = git
        self._cache = context.cache
        self._people = People(context.person)

    def prepare(self, location: Location, cursor: JsonValue) -> _Prepared:
        """Do what uses the network; safe in any thread."""
        began = datetime.now(UTC)
        said = git_mirror.advertised(location, self._git)
        others = {name: id_ for name, id_ in _ids(cursor, "others").items() if said.refs.get(name) == id_}
        refs = {name: id_ for name, id_ in said.refs.items() if name not in others}
        is_changed = cursor != _cursor(location, said.default_branch, Tips((), refs, others, said.detached))
        if said.is_empty or not is_changed:
            return _Prepared(began, said, is_changed, None)
        return _Prepared(began, said, is_changed, git_mirror.update(location, said, self._cache, self._git))

    def items(self, location: Location, prepared: _Prepared, cursor: JsonValue) -> Iterator[Item]:
        """Yield what is new in a repository; raises `GitError`."""
        began, said, is_changed, mirror = prepared
        if said.is_empty:
            yield Note(location.id, "the repository is empty")
        if mirror is not None:
            try:
                yield from self._new(location, said, mirror, cursor)
            except GitError as error:
                if error.is_transient:
                    raise
                # The mirror has lost objects; what was yielded twice merges into itself.
                mirror = git_mirror.make_anew(location, said, self._cache, self._git)
                yield from self._new(location, said, mirror, cursor)
        elif is_changed:
            yield from _state(location, None, Tips(), cursor)
        yield Covered(location.id, began)

    def _new(self, location: Location, said: Advertised, mirror: Mirror, cursor: JsonValue) -> Iterator[Item]:
        tips = git_mirror.tips(mirror, said, self._git)
        shas = {tip.sha for tip in tips.commits} | {tips.head} - {""}
        chunks = git_mirror.log(mirror, shas, _known(cursor), self._git)
        commits: list[Commit] = []
        for item in parse(chunks, location.id, self._people):
            if isinstance(item, Quarantined):
                yield item
                continue
            commits.append(item)
            if len(commits) == _BATCH_SIZE:
                yield Batch("commit", location.id, commits)
                commits = []
        if commits:
            yield Batch("commit", location.id, commits)
        yield from _state(location, said.default_branch, tips, cursor)


def _state(location: Location, default_branch: str | None, tips: Tips, cursor: JsonValue) -> Iterator[Item]:
    """The repository, if it is not as the cursor knows it, and its refs with the new cursor."""
    now = _cursor(location, default_branch, tips)
    before = cursor if isinstance(cursor, dict) else {}
    yield from _notes(location, _ids(cursor, "refs") | _ids(cursor, "others"), tips)
    if any(before.get(field) != now[field] for field in ("name", "url", "default_branch")):
        repository = Repository(location.id, location.name, location.url, default_branch, archived=False)
        yield Batch("repository", location.id, [repository], is_whole=True)
    refs = [_ref(location.id, tip) for tip in tips.commits]
    yield Batch("ref", location.id, refs, now, is_whole=True)


class People(dict[str, str]):
    """Address → keyed hash, each worked out once."""

    def __init__(self, person: Callable[[str], str]) -> None:
        super().__init__()
        self._person = person

    def __missing__(self, address: str) -> str:
        self[address] = person = self._person(address)
        return person


def parse(chunks: Iterable[bytes], repository: str, people: People) -> Iterator[Commit | Quarantined]:
    """Make records of `git_mirror.log`'s output.

    A commit without an author is quarantined and yielded too: the history behind it hangs on it.
    """
    for line in _lines(chunks):
        try:
            sha, parents, name, address, authored, committed, subject = line.split("\0")
        except ValueError:
            sha = line.partition("\0")[0]
            yield Quarantined("commit", repository, sha, "git printed too few or too many fields")
            continue
        if not name and not address:
            yield Quarantined("commit", repository, sha, "names no author; kept for its parents alone")
        is_merge = " " in parents
        if is_merge:
            kind = "merge"
        elif match := _KIND(subject):
            kind = "revert" if match["revert"] else "fix"
        else:
            kind = "change"
        number = _NUMBER_AT_END(subject) if subject.endswith(")") else _NUMBER_OF_MERGE(subject)
        authored_at = instant(authored)
        yield Commit(
            repository,
            sha,
            tuple(parents.split(" ")) if is_merge else (parents,) if parents else (),
            people[address or name],
            name.endswith("[bot]"),
            authored_at,
            authored_at if committed == authored else instant(committed),
            kind,
            int(number[1]) if number else None,
        )


def _lines(chunks: Iterable[bytes]) -> Iterator[str]:
    pending: list[bytes] = []
    for chunk in chunks:
        whole, newline, rest = chunk.rpartition(b"\n")
        if newline:
            yield from (b"".join(pending) + whole).decode("utf-8", "surrogateescape").split("\n")
            pending = []
        pending.append(rest)
    if last := b"".join(pending):
        yield last.decode("utf-8", "surrogateescape")


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


def _cursor(location: Location, default_branch: str | None, tips: Tips) -> dict[str, JsonValue]:
    """All that decides what is yielded: equal to the last one, there is nothing new."""
    return {
        "name": location.name,
        "url": location.url,
        "default_branch": default_branch,
        "detached": tips.head,
        "refs": dict(tips.refs),
        "others": dict(tips.others),
    }


def _ids(cursor: JsonValue, field: str) -> dict[str, str]:
    """Full name → object id in a field of a cursor; none where it is of another make."""
    ids = cursor.get(field) if isinstance(cursor, dict) else None
    return {name: id_ for name, id_ in ids.items() if isinstance(id_, str)} if isinstance(ids, dict) else {}


def _known(cursor: JsonValue) -> set[str]:
    """Object ids from which all that can be reached was read before."""
    detached = cursor.get("detached") if isinstance(cursor, dict) else None
    return {*_ids(cursor, "refs").values(), detached if isinstance(detached, str) else ""} - {""}


def _ref(repository: str, tip: Tip) -> Ref:
    _, plural, name = tip.ref.split("/", 2)
    return Ref(repository, name, "tag" if plural == "tags" else "branch", tip.sha, tip.at)


def _notes(location: Location, before: Mapping[str, str], tips: Tips) -> Iterator[Note]:
    now = {**tips.refs, **tips.others}
    tags = [name for name in before if name.startswith("refs/tags/")]
    moved = [name for name in tags if name in now and now[name] != before[name]]
    gone = [name for name in tags if name not in now]
    others = [name for name, id_ in tips.others.items() if id_ != before.get(name)]
    for names, what in ((moved, "moved"), (gone, "deleted"), (others, "on no commit, passed over")):
        if names:
            shown = [name.removeprefix("refs/tags/") for name in sorted(names)]
            more = f" and {len(shown) - 5} more" if len(shown) > 5 else ""
            yield Note(location.id, f"tags {what}: {', '.join(shown[:5])}{more}")


def _problem(location: Location, error: GitError | OSError) -> Problem:
    if isinstance(error, GitError):
        return Problem(location.id, str(error), error.mend, error.is_transient)
    return Problem(location.id, f"{error.strerror}: {error.filename}", "look at the disk of CAIRN_HOME")
