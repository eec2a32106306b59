"""Evidence of capabilities in the files of a repository at HEAD.

A mirror holds no files. What is missing of HEAD is fetched into it in two network operations, whatever its
size: its folders; and the files that may be evidence, where any of these is another than before.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import NamedTuple

from connectors import evidence
from connectors.connector import Quarantined
from connectors.evidence import EvidenceFault
from connectors.git.cli import Git, GitError
from connectors.git.locations import Location
from connectors.git.mirror import Mirror
from connectors.records import CapabilityState

STREAM = "capability_state"

_MOST_FILES = 5_000
_FETCH = (
    *("-c", "fetch.negotiationAlgorithm=noop", "fetch", "--quiet", "--no-tags", "--no-write-fetch-head"),
    *("--no-recurse-submodules", "--filter=blob:none", "--stdin", "cairn"),
)


class Host(NamedTuple):
    """What the repository's host knows that git does not."""

    full_name: str = ""
    """Path on the host: what is used of the repository itself is no evidence."""
    files_url: str = ""
    """Address of the files at HEAD, to which a path is added; empty where there is none."""
    gitlab_file: str = evidence.GITLAB_FILE
    """Path of GitLab's CI configuration."""


UNKNOWN_HOST = Host()


class HeadFiles(NamedTuple):
    """What the files at HEAD say."""

    digest: str
    """Of the files that may be evidence."""
    states: list[CapabilityState] | None
    """None where the files are those that were read before."""
    quarantined: list[Quarantined]


def read(
    location: Location,
    host: Host,
    mirror: Mirror,
    head: str,
    known_digest: object,
    git: Git,
    masked: Callable[[str], str],
) -> HeadFiles:
    """Read the files of the commit `head`, which the mirror holds; raises `GitError`."""
    files = _listed(location, host, mirror, head, git)
    digest = hashlib.sha256(repr((files, host)).encode("utf-8", "surrogateescape")).hexdigest()[:32]
    if digest == known_digest:
        return HeadFiles(digest, None, [])
    states: list[CapabilityState] = []
    quarantined: list[Quarantined] = []
    texts = _texts(location, mirror, {*files.values()}, git)
    for path, id_ in files.items():
        try:
            found = evidence.read(path, texts[id_], masked, host.gitlab_file)
        except EvidenceFault as fault:
            quarantined.append(Quarantined(STREAM, location.id, path, f"the file {fault}"))
            continue
        states += [
            CapabilityState(
                each.thing,
                "repository",
                location.id,
                path,
                each.version,
                each.folders,
                host.files_url + path if host.files_url else None,
            )
            for each in found
            if not _is_own(each.thing, host.full_name or location.id)
        ]
    return HeadFiles(digest, states, quarantined)


def _listed(location: Location, host: Host, mirror: Mirror, head: str, git: Git) -> Mapping[str, str]:
    """Path → object id of the files that may be evidence."""
    listing = ("ls-tree", "-r", "-z", head)
    try:
        output = git.run(*listing, directory=mirror.path)
    except GitError:
        said = git.run(
            "rev-list", "--no-walk", "--no-commit-header", "--format=%T", head, directory=mirror.path
        )
        _fetch(location, mirror, [said.decode().strip()], git)
        output = git.run(*listing, directory=mirror.path)
    files: dict[str, str] = {}
    for line in output.decode("utf-8", "surrogateescape").split("\0")[:-1]:
        what, _, path = line.partition("\t")
        mode, _, id_ = what.split(" ")
        if mode.startswith("100") and path.isprintable() and evidence.is_evidence(path, host.gitlab_file):
            files[path] = id_
            if len(files) == _MOST_FILES:
                break
    return files


def _texts(location: Location, mirror: Mirror, ids: set[str], git: Git) -> Mapping[str, str]:
    """Object id → what the file holds."""
    if not ids:
        return {}
    wanted = sorted(ids)
    _fetch(location, mirror, wanted, git)
    output = git.run(
        "cat-file", "--batch", "--buffer", directory=mirror.path, stdin="\n".join(wanted).encode()
    )
    texts: dict[str, str] = {}
    start = 0
    while start < len(output):
        end = output.index(b"\n", start)
        id_, _, size = output[start:end].decode().split(" ")
        start = end + 1 + int(size)
        texts[id_] = output[end + 1 : start].decode("utf-8", "replace")
        start += 1
    return texts


def _fetch(location: Location, mirror: Mirror, ids: list[str], git: Git) -> None:
    git.reach(*_FETCH, remote=location.remote, directory=mirror.path, stdin="\n".join(ids).encode())


def _is_own(thing: str, full_name: str) -> bool:
    """Whether a workflow or action is one of the repository itself."""
    kind, _, what = thing.partition(":")
    owner_and_name = "/".join(what.split("/")[:2]).casefold()
    return kind in {"workflow", "action"} and f"/{full_name.casefold()}".endswith(f"/{owner_and_name}")
