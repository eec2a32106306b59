"""Mirrors: bare copies of branches and tags with their commits, without files, with folders where wanted."""

from __future__ import annotations

import hashlib
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from connectors.git.cli import SHALLOW, Git, GitError
from connectors.git.locations import Location

COMMIT_FIELDS = "%x00%x00%b%x00%H%x00%P%x00%an%x00%ae%x00%at%x00%ct%x00%s"
"""What `log` prints of a commit, in git's format language: fields apart by NUL.

The message's body, the one field that may end in a newline, is followed by one that is never empty:
so nothing but the end of a commit looks like `COMMIT_END`.
"""
COMMIT_END = b"\n\0\0"

_ANSWER_SECONDS = 60.0
_KEPT_REFS = ("refs/heads/", "refs/tags/")
_DETACHED_HEAD = "refs/cairn/HEAD"
_UNFINISHED = "unfinished-"
_NOT_SENT = re.compile(r"(?:bad revision '|could not fetch )([0-9a-f]{40,64})")
_TAG = re.compile(rb"object (?P<object>[0-9a-f]{40,64})\ntype (?P<type>[a-z]+)\n")
_TAGGER = re.compile(rb"^tagger [^\n]*> *(\d+)", re.MULTILINE)


class Advertised(NamedTuple):
    """What a repository says it has, as `git ls-remote` prints it."""

    default_branch: str | None
    """Branch that HEAD names; None while the repository has no commit."""
    detached: str
    """Object id of a HEAD that names no branch, else empty."""
    refs: dict[str, str]
    """Branches and tags, full name → object id, tags not peeled."""
    peeled: dict[str, str]
    """Annotated tags, full name → id of what they finally name."""

    @property
    def head(self) -> str:
        """Object id of the commit that HEAD names; empty where it names none."""
        return self.detached or self.refs.get(f"refs/heads/{self.default_branch}", "")

    @property
    def is_empty(self) -> bool:
        """No commit can be reached."""
        return not self.refs and not self.detached


class Mirror(NamedTuple):
    """A mirror just brought up to date."""

    path: Path
    left_out: frozenset[str]
    """Tags on trees, by full name: the mirror cannot hold them."""


class Tip(NamedTuple):
    """A branch or tag of a mirror."""

    ref: str
    """Full name."""
    sha: str
    """The commit, tag objects peeled."""
    at: datetime | None
    """Tagger's date of an annotated tag, else the commit's committer date."""


class Tips(NamedTuple):
    """All branches and tags of a mirror."""

    commits: Sequence[Tip] = ()
    refs: Mapping[str, str] = {}
    """Those on a commit: full name → object id, tags not peeled."""
    others: Mapping[str, str] = {}
    """Those on a tree or a file, likewise."""
    head: str = ""
    """Commit of a detached HEAD, else empty."""


def advertised(location: Location, git: Git) -> Advertised:
    """Ask the repository, in one network operation; raises `GitError`."""
    shallow = Path(location.remote.address, "shallow")
    if location.remote.is_local and shallow.is_file() and shallow.stat().st_size:
        raise GitError(SHALLOW)
    output = git.reach("ls-remote", "--symref", "cairn", remote=location.remote, timeout=_ANSWER_SECONDS)
    head, branch = "", None
    refs: dict[str, str] = {}
    peeled: dict[str, str] = {}
    for line in output.decode("utf-8", "backslashreplace").split("\n"):
        value, _, name = line.partition("\t")
        if name == "HEAD" and value.startswith("ref: "):
            branch = value.removeprefix("ref: refs/heads/")
        elif name == "HEAD":
            head = value
        elif name.startswith(_KEPT_REFS):
            (peeled if name.endswith("^{}") else refs)[name.removesuffix("^{}")] = value
    if branch is None and head:
        # Old servers do not say which branch HEAD names; a detached one may stand on a branch all the same.
        same = [name.removeprefix("refs/heads/") for name, value in refs.items() if value == head]
        branch = next((name for name in ("main", "master", *same) if name in same), None)
    return Advertised(branch, "" if branch else head, refs, peeled)


def update(
    location: Location, said: Advertised, cache: Path, git: Git, *, with_folders: bool = False
) -> Mirror:
    """Bring the repository's mirror in `cache` up to date, or make it; raises `GitError`."""
    path = _path(location, cache)
    if path.exists():
        try:
            return Mirror(path, _fetch(path, location, said, git, with_folders))
        except GitError as error:
            if error.is_transient:
                raise
            # Stale locks or lost objects of a killed run: a new mirror shows which side is at fault.
    return make_anew(location, said, cache, git, with_folders=with_folders)


def make_anew(
    location: Location, said: Advertised, cache: Path, git: Git, *, with_folders: bool = False
) -> Mirror:
    """Make the repository's mirror and put it in the place of any old one once it is whole."""
    path = _path(location, cache)
    some_id = next(iter(said.refs.values()), said.detached)
    object_format = "sha256" if len(some_id) == 64 else "sha1"
    with tempfile.TemporaryDirectory(prefix=_UNFINISHED, dir=cache) as folder:
        new = Path(folder, "mirror.git")
        git.run(
            *("init", "--quiet", "--bare", "--template=", "--initial-branch=main"),
            *(f"--object-format={object_format}", str(new)),
        )
        left_out = _fetch(new, location, said, git, with_folders)
        shutil.rmtree(path, ignore_errors=True)
        new.rename(path)
    return Mirror(path, left_out)


def clear_unfinished(cache: Path) -> None:
    """Remove what a killed run left of mirrors in the making."""
    for folder in cache.glob(f"{_UNFINISHED}*"):
        shutil.rmtree(folder, ignore_errors=True)


def _path(location: Location, cache: Path) -> Path:
    digest = hashlib.sha256(location.id.encode()).hexdigest()[:16]
    readable = re.sub(r"[^A-Za-z0-9._-]", "_", location.id.rsplit("/", 1)[-1].removesuffix(".git"))[:60]
    return cache / f"{readable}-{digest}.git"


def _fetch(path: Path, location: Location, said: Advertised, git: Git, with_folders: bool) -> frozenset[str]:
    kept = "blob:none" if with_folders else "tree:0"
    refspecs = [f"+{prefix}*:{prefix}*" for prefix in _KEPT_REFS]
    if said.detached:
        refspecs.append(f"+HEAD:{_DETACHED_HEAD}")
    left_out: set[str] = set()
    while True:
        try:
            git.reach(
                *("fetch", "--quiet", "--prune", "--no-tags", "--no-write-fetch-head", f"--filter={kept}"),
                *("--no-show-forced-updates", "--no-recurse-submodules", "cairn", *refspecs),
                *(f"^{name}" for name in sorted(left_out)),
                remote=location.remote,
                directory=path,
            )
            return frozenset(left_out)
        except GitError as error:
            # A tag on a tree asks for what the filter leaves out, and git then refuses the whole fetch.
            missing = set(_NOT_SENT.findall(error.stderr))
            names = {name for name, id_ in (said.refs | said.peeled).items() if id_ in missing}
            names = {name for name in names - left_out if name.startswith("refs/tags/")}
            if not names:
                raise
            left_out |= names


def tips(mirror: Mirror, said: Advertised, git: Git) -> Tips:
    """Read the mirror's branches and tags; raises `GitError` where one of their commits is lost."""
    listed = git.run(
        *("for-each-ref", "--format=%(objecttype) %(objectname) %(refname)", *_KEPT_REFS, "refs/cairn/"),
        directory=mirror.path,
    )
    refs = {}
    for line in listed.decode("utf-8", "backslashreplace").split("\n")[:-1]:
        kind, id_, name = line.split(" ", 2)
        refs[name] = kind, id_
    tags = _read_tags({id_ for kind, id_ in refs.values() if kind == "tag"}, mirror.path, git)
    head = refs.pop(_DETACHED_HEAD, ("", ""))[1] if said.detached else ""
    refs.pop(_DETACHED_HEAD, None)
    commits: dict[str, str] = {}
    for name, named in refs.items():
        target = named
        while target[0] == "tag":
            target = tags[target[1]].names
        if target[0] == "commit":
            commits[name] = target[1]
    dates = _committer_dates({*commits.values()}, mirror.path, git)
    return Tips(
        [
            Tip(name, sha, tag.at if (tag := tags.get(refs[name][1])) and tag.is_dated else dates[sha])
            for name, sha in commits.items()
        ],
        {name: refs[name][1] for name in commits},
        {name: said.refs[name] for name in mirror.left_out}
        | {name: id_ for name, (_, id_) in refs.items() if name not in commits},
        head,
    )


def log(
    mirror: Mirror, tips: Iterable[str], known: Iterable[str], git: Git, *, with_folders: bool = False
) -> Iterator[bytes]:
    """Stream `COMMIT_FIELDS` of the commits reachable from `tips` and not from `known`.

    With folders a blank line and the paths of what a commit changes follow it, a line each, quoted as git
    does; none of a merge. Objects of `known` that the mirror lacks are passed over. Raises `GitError` at
    the end where the history has gaps, and where the mirror was made without folders.
    """
    revisions = "".join([*(f"{id_}\n" for id_ in tips), *(f"^{id_}\n" for id_ in known)]).encode()
    fields = ("--encoding=UTF-8", f"--format={COMMIT_FIELDS}")
    # rev-list, for unlike log no configuration and no mailmap (a file, not in the mirror) bear on it.
    # In this order: --stdin is acted upon where it stands.
    listed = ("rev-list", "--ignore-missing", "--stdin")
    if not with_folders:
        yield from git.stream(
            *(*listed, "--no-commit-header", *fields), directory=mirror.path, stdin=revisions
        )
        return
    commits = git.run(*listed, directory=mirror.path, stdin=revisions)
    yield from git.stream(
        *("-c", "core.quotePath=true", "diff-tree", "--stdin", "--root", "--always", "-r"),
        *("--name-only", "--no-renames", *fields),
        directory=mirror.path,
        stdin=commits,
    )


def instant(text: str | bytes) -> datetime | None:
    """A time from git's seconds since 1970; None where no calendar holds it."""
    try:
        return datetime.fromtimestamp(int(text), UTC)
    except (ValueError, OverflowError, OSError):
        return None


class _Tag(NamedTuple):
    names: tuple[str, str]
    """Type and id of the object it is on."""
    is_dated: bool
    at: datetime | None


def _read_tags(wanted: set[str], path: Path, git: Git) -> dict[str, _Tag]:
    tags: dict[str, _Tag] = {}
    while wanted:
        output = git.run(
            *("cat-file", "--batch", "--buffer"), directory=path, stdin="\n".join(sorted(wanted)).encode()
        )
        while output:
            header, _, rest = output.partition(b"\n")
            id_, _, size = header.decode().split(" ")
            content, output = rest[: int(size)], rest[int(size) + 1 :]
            if match := _TAG.match(content):
                tagger = _TAGGER.search(content.partition(b"\n\n")[0])
                names = match["type"].decode(), match["object"].decode()
                tags[id_] = _Tag(names, tagger is not None, instant(tagger[1]) if tagger else None)
            else:
                tags[id_] = _Tag(("", ""), False, None)
        wanted = {id_ for kind, id_ in (tag.names for tag in tags.values()) if kind == "tag"} - tags.keys()
    return tags


def _committer_dates(shas: set[str], path: Path, git: Git) -> Mapping[str, datetime | None]:
    if not shas:
        return {}
    output = git.run(
        *("rev-list", "--no-walk=unsorted", "--stdin", "--no-commit-header", "--format=%H %ct"),
        directory=path,
        stdin="\n".join(sorted(shas)).encode(),
    )
    pairs = (line.partition(" ") for line in output.decode().split("\n")[:-1])
    return {sha: instant(seconds) for sha, _, seconds in pairs}
