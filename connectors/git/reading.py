"""Reading one git repository: what its refs reach now and those of the last reading did not.

The repository is mirrored without files, and without trees unless folders are read, into
`Context.cache`, which one reader at a time may use, and its commits are read from there. The cursor
is the refs it had, and what was read of each commit. What no branch or tag of the repository reaches
(a host's `refs/pull/*`) is not read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from pydantic import JsonValue

from connectors import evidence
from connectors.connector import Batch, Context, Item, Note, Problem, Quarantined
from connectors.git import evidence as git_evidence
from connectors.git import mirror as git_mirror
from connectors.git.cli import Git, GitError
from connectors.git.evidence import UNKNOWN_HOST, HeadFiles, Host
from connectors.git.locations import Location
from connectors.git.mirror import Advertised, Mirror, Tip, Tips, instant
from connectors.records import Commit, Ref

_VERSION = 2
"""Of what is read of a commit without being asked for: one more, and all are read again."""
_BATCH_SIZE = 20_000
_BRANCH = "refs/heads/"

_KIND = re.compile(
    r'(?P<revert>revert(?: "|(?:\([^)]*\))?!?:))|(?:fix|hotfix|bugfix)(?:\([^)]*\))?!?:', re.IGNORECASE
).match
_NUMBER_AT_END = re.compile(r"\((?:pull request )?#(\d{1,18})\)$").search
_NUMBER_OF_MERGE = re.compile(r"Merge(?:d PR | pull request #)(\d{1,18})\b").match
_REVERTS = re.compile(r"This reverts commit ([0-9a-f]{7,64})\b").search
_PICKED = re.compile(r"\(cherry picked from commit ([0-9a-f]{7,64})\)").findall


class Prepared(NamedTuple):
    """What the repository says of itself, and the mirror that holds it."""

    began: datetime
    said: Advertised
    is_changed: bool
    mirror: Mirror | None
    """None where there is no commit to read: nothing new, or nothing at all."""
    files: HeadFiles | GitError | None = None
    """None where they are not read, or those of the last reading are still at HEAD."""

    @property
    def default_branch(self) -> str | None:
        """Branch that HEAD names; None while the repository has no commit."""
        return None if self.said.is_empty else self.said.default_branch


class Reading:
    """One run over the repositories of a source."""

    def __init__(
        self, git: Git, context: Context, folders: int | None = None, *, with_evidence: bool = False
    ) -> None:
        self._git = git
        self._context = context
        self._folders = folders
        self._with_evidence = with_evidence
        self._without_files: set[str] = set()
        self._people = People(context.person)
        self._reads: JsonValue = [_VERSION, folders]
        """What is read of each commit."""

    def looked_for(self, scope: str) -> str | None:
        """As `Covered.looked_for`, once the scope was read."""
        is_seen = self._with_evidence and scope not in self._without_files
        return str(evidence.VERSION) if is_seen else None

    def prepare(self, location: Location, cursor: JsonValue, host: Host = UNKNOWN_HOST) -> Prepared:
        """Do what uses the network; safe in any thread. Raises `GitError`."""
        began = datetime.now(UTC)
        said = git_mirror.advertised(location, self._git)
        now = {self._masked(name, said.default_branch): id_ for name, id_ in said.refs.items()}
        others = {name: id_ for name, id_ in _ids(cursor, "others").items() if now.get(name) == id_}
        refs = {name: id_ for name, id_ in now.items() if name not in others}
        seen = _seen(cursor)
        now_seen = seen if self._with_evidence and seen[:2] == [evidence.VERSION, said.head] else None
        is_changed = cursor != self._cursor(
            location, said.default_branch, Tips((), refs, others, said.detached), now_seen
        )
        if said.is_empty or not is_changed:
            return Prepared(began, said, is_changed, None)
        mirror = git_mirror.update(
            location, said, self._context.cache, self._git, with_folders=self._folders is not None
        )
        files: HeadFiles | GitError | None = None
        if self._with_evidence and now_seen is None and said.head:
            is_same = seen[:1] == [evidence.VERSION]
            try:
                files = git_evidence.read(
                    *(location, host, mirror, said.head, seen[2] if is_same else None),
                    *(self._git, self._context.branch),
                )
            except GitError as error:
                files = error
        return Prepared(began, said, is_changed, mirror, files)

    def is_read_otherwise(self, cursor: JsonValue) -> bool:
        """Whether `cursor` is of a reading that read less, or other things."""
        if not isinstance(cursor, dict) or "refs" not in cursor:
            return False
        is_blind = self._with_evidence and _seen(cursor)[:1] != [evidence.VERSION]
        return is_blind or self._is_of_other_commits(cursor)

    def _is_of_other_commits(self, cursor: JsonValue) -> bool:
        """Whether `cursor` is of a reading that read less, or other things, of each commit."""
        return isinstance(cursor, dict) and "refs" in cursor and cursor.get("reads") != self._reads

    def items(self, location: Location, prepared: Prepared, cursor: JsonValue) -> Iterator[Item]:
        """Yield what is new: commits, then the refs with the cursor; raises `GitError`."""
        said, mirror = prepared.said, prepared.mirror
        if said.is_empty:
            yield Note(location.id, "the repository is empty")
        if mirror is not None:
            try:
                yield from self._new(location, prepared, mirror, cursor)
            except GitError as error:
                if error.is_transient:
                    raise
                # The mirror has lost objects, or was made when folders were not read; what was yielded
                # twice merges into itself.
                mirror = git_mirror.make_anew(
                    location, said, self._context.cache, self._git, with_folders=self._folders is not None
                )
                yield from self._new(location, prepared, mirror, cursor)
        elif prepared.is_changed:
            yield from self._state(location, prepared, Tips(), cursor)

    def _new(
        self, location: Location, prepared: Prepared, mirror: Mirror, cursor: JsonValue
    ) -> Iterator[Item]:
        said = prepared.said
        tips = git_mirror.tips(mirror, said, self._git)
        shas = {tip.sha for tip in tips.commits} | {tips.head} - {""}
        known = () if self._is_of_other_commits(cursor) else _known(cursor)
        chunks = git_mirror.log(mirror, shas, known, self._git, with_folders=self._folders is not None)
        commits: list[Commit] = []
        for item in parse(chunks, location.id, self._people, self._folders):
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
        yield from self._state(location, prepared, masked, cursor)

    def _masked(self, ref: str, default_branch: str | None) -> str:
        if not ref.startswith(_BRANCH):
            return ref
        return _BRANCH + self._context.branch(ref.removeprefix(_BRANCH), default_branch)

    def _state(self, location: Location, prepared: Prepared, tips: Tips, cursor: JsonValue) -> Iterator[Item]:
        """The refs with the new cursor, and what is odd about them; before them what the files say."""
        yield from _notes(location, _ids(cursor, "refs") | _ids(cursor, "others"), tips)
        seen: list[JsonValue] = []
        if self._with_evidence:
            seen = yield from self._files(location, prepared, _seen(cursor))
        refs = [_ref(location.id, tip) for tip in tips.commits]
        cursor = self._cursor(location, prepared.default_branch, tips, seen)
        yield Batch("ref", location.id, refs, cursor, is_whole=True)

    def _files(
        self, location: Location, prepared: Prepared, seen: list[JsonValue]
    ) -> Generator[Item, None, list[JsonValue]]:
        """What the files at HEAD say, where they are others than were `seen`; returns what is seen by now."""
        files, head = prepared.files, prepared.said.head
        if isinstance(files, GitError):
            self._without_files.add(location.id)
            message = f"its files are not read: {files}"
            yield Problem(location.id, message, files.mend, files.is_transient)
            return seen
        if files is None and head:
            return seen
        if files is None or files.states is not None:
            yield from files.quarantined if files else ()
            states = (files.states if files else None) or []
            yield Batch(git_evidence.STREAM, location.id, states, is_whole=True)
        return [evidence.VERSION, head, files.digest if files else ""]

    def _cursor(
        self, location: Location, default_branch: str | None, tips: Tips, seen: list[JsonValue] | None
    ) -> dict[str, JsonValue]:
        """All that decides what is yielded: equal to the last one, there is nothing new."""
        return {
            **({"evidence": seen} if self._with_evidence else {}),
            "name": location.name,
            "url": location.url,
            "default_branch": default_branch,
            "detached": tips.head,
            "refs": dict(tips.refs),
            "others": dict(tips.others),
            "reads": self._reads,
        }


class People(dict[str, str]):
    """Address → keyed hash, each worked out once."""

    def __init__(self, person: Callable[[str], str]) -> None:
        super().__init__()
        self._person = person

    def __missing__(self, address: str) -> str:
        self[address] = person = self._person(address)
        return person


def parse(
    chunks: Iterable[bytes], repository: str, people: People, depth: int | None = None
) -> Iterator[Commit | Quarantined]:
    """Make records of `git_mirror.log`'s output; with folders to a `depth`, where that has them.

    A commit without an author is quarantined and yielded too: the history behind it hangs on it.
    """
    for text in _texts(chunks):
        try:
            body, sha, parents, name, address, authored, committed, rest = text.split("\0")
        except ValueError:
            sha = f"{text}\0".split("\0")[1]
            yield Quarantined("commit", repository, sha, "git printed too few or too many fields")
            continue
        if not name and not address:
            yield Quarantined("commit", repository, sha, "names no author; kept for its parents alone")
        subject, _, paths = rest.partition("\n")
        is_merge = " " in parents
        if is_merge:
            kind = "merge"
        elif match := _KIND(subject):
            kind = "revert" if match["revert"] else "fix"
        else:
            kind = "change"
        number = _NUMBER_AT_END(subject) if subject.endswith(")") else _NUMBER_OF_MERGE(subject)
        # Far quicker than to search every message for both.
        names_another = " commit " in body
        reverts = _REVERTS(body) if names_another else None
        picked = _PICKED(body) if names_another else None
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
            reverts[1] if reverts else None,
            picked[-1] if picked else None,
            None if depth is None or is_merge else _folders(paths, depth),
        )


def _texts(chunks: Iterable[bytes]) -> Iterator[str]:
    """What git printed of each commit."""
    pending = [b"\n"]
    for chunk in chunks:
        whole, end, rest = chunk.rpartition(git_mirror.COMMIT_END)
        if end:
            yield from _divided(b"".join([*pending, whole]))
            pending = []
        pending.append(rest)
    yield from _divided(b"".join(pending))


def _divided(content: bytes) -> Iterator[str]:
    texts = content.decode("utf-8", "surrogateescape").split(git_mirror.COMMIT_END.decode())
    return (text for text in texts if text not in {"", "\n"})


def _folders(paths: str, depth: int) -> tuple[str, ...]:
    """Folders of `paths`, so deep; `.` for what lies at the top."""
    folders = {path.rpartition("/")[0] for path in map(_unquoted, paths.split("\n")) if path}
    return tuple(sorted({"/".join(folder.split("/", depth)[:depth]) or "." for folder in folders}))


def _unquoted(path: str) -> str:
    """A path that git prints as C would, where it holds more than plain letters."""
    if not path.startswith('"'):
        return path
    return path[1:-1].encode().decode("unicode_escape").encode("latin-1").decode("utf-8", "backslashreplace")


def _ids(cursor: JsonValue, field: str) -> dict[str, str]:
    """Full name → object id in a field of a cursor; none where it is of another make."""
    ids = cursor.get(field) if isinstance(cursor, dict) else None
    return {name: id_ for name, id_ in ids.items() if isinstance(id_, str)} if isinstance(ids, dict) else {}


def _seen(cursor: JsonValue) -> list[JsonValue]:
    """Version of reading, commit and digest of the files that were read last."""
    seen = cursor.get("evidence") if isinstance(cursor, dict) else None
    return seen if isinstance(seen, list) and len(seen) == 3 else []


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
