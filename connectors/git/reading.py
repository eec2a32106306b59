"""Reading one git repository: what its refs reach now and those of the last reading did not.

The repository is mirrored without trees and files into `Context.cache`, which one reader at a
time may use, and its commits are read from there. The cursor is the refs it had. What no
branch or tag of the repository reaches (a host's `refs/pull/*`) is not read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from pydantic import JsonValue

from connectors.connector import Batch, Context, Item, Note, Quarantined
from connectors.git import mirror as git_mirror
from connectors.git.cli import Git, GitError
from connectors.git.locations import Location
from connectors.git.mirror import Advertised, Mirror, Tip, Tips, instant
from connectors.records import Commit, Ref

_BATCH_SIZE = 20_000
_BRANCH = "refs/heads/"

_KIND = re.compile(
    r'(?P<revert>revert(?: "|(?:\([^)]*\))?!?:))|(?:fix|hotfix|bugfix)(?:\([^)]*\))?!?:', re.IGNORECASE
).match
_NUMBER_AT_END = re.compile(r"\((?:pull request )?#(\d{1,18})\)$").search
_NUMBER_OF_MERGE = re.compile(r"Merge(?:d PR | pull request #)(\d{1,18})\b").match


class Prepared(NamedTuple):
    """What the repository says of itself, and the mirror that holds it."""

    began: datetime
    said: Advertised
    is_changed: bool
    mirror: Mirror | None
    """None where there is no commit to read: nothing new, or nothing at all."""

    @property
    def default_branch(self) -> str | None:
        """Branch that HEAD names; None while the repository has no commit."""
        return None if self.said.is_empty else self.said.default_branch


class Reading:
    """One run over the repositories of a source."""

    def __init__(self, git: Git, context: Context) -> None:
        self._git = git
        self._context = context
        self._people = People(context.person)

    def prepare(self, location: Location, cursor: JsonValue) -> Prepared:
        """Do what uses the network; safe in any thread. Raises `GitError`."""
        began = datetime.now(UTC)
        said = git_mirror.advertised(location, self._git)
        now = {self._masked(name, said.default_branch): id_ for name, id_ in said.refs.items()}
        others = {name: id_ for name, id_ in _ids(cursor, "others").items() if now.get(name) == id_}
        refs = {name: id_ for name, id_ in now.items() if name not in others}
        is_changed = cursor != _cursor(location, said.default_branch, Tips((), refs, others, said.detached))
        if said.is_empty or not is_changed:
            return Prepared(began, said, is_changed, None)
        mirror = git_mirror.update(location, said, self._context.cache, self._git)
        return Prepared(began, said, is_changed, mirror)

    def items(self, location: Location, prepared: Prepared, cursor: JsonValue) -> Iterator[Item]:
        """Yield what is new: commits, then the refs with the cursor; raises `GitError`."""
        said, mirror = prepared.said, prepared.mirror
        if said.is_empty:
            yield Note(location.id, "the repository is empty")
        if mirror is not None:
            try:
                yield from self._new(location, said, mirror, cursor)
            except GitError as error:
                if error.is_transient:
                    raise
                # The mirror has lost objects; what was yielded twice merges into itself.
                mirror = git_mirror.make_anew(location, said, self._context.cache, self._git)
                yield from self._new(location, said, mirror, cursor)
        elif prepared.is_changed:
            yield from _state(location, None, Tips(), cursor)

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
        default = said.default_branch
        masked = Tips(
            [tip._replace(ref=self._masked(tip.ref, default)) for tip in tips.commits],
            {self._masked(name, default): id_ for name, id_ in tips.refs.items()},
            {self._masked(name, default): id_ for name, id_ in tips.others.items()},
            tips.head,
        )
        yield from _state(location, default, masked, cursor)

    def _masked(self, ref: str, default_branch: str | None) -> str:
        if not ref.startswith(_BRANCH):
            return ref
        return _BRANCH + self._context.branch(ref.removeprefix(_BRANCH), default_branch)


def _state(location: Location, default_branch: str | None, tips: Tips, cursor: JsonValue) -> Iterator[Item]:
    """The refs with the new cursor, and what is odd about them."""
    yield from _notes(location, _ids(cursor, "refs") | _ids(cursor, "others"), tips)
    refs = [_ref(location.id, tip) for tip in tips.commits]
    yield Batch("ref", location.id, refs, _cursor(location, default_branch, tips), is_whole=True)


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
