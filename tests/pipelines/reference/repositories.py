"""Repositories of the workspace, the services they make up, and what other tools call both."""

from __future__ import annotations

import re
from datetime import datetime
from fnmatch import fnmatchcase
from typing import NamedTuple

from connectors.records import Repository
from tests.pipelines.reference.given import Given

Key = tuple[str, str]
"""(source, id) of a repository."""


class Known(NamedTuple):
    """A repository that was read."""

    key: Key
    name: str
    """Unique in the workspace."""
    url: str
    covered_until: datetime


class Part(NamedTuple):
    """A service's part of a repository."""

    service: str
    repository: Key
    paths: tuple[str, ...]
    """Empty: all of it."""


def address(url: str) -> str:
    """Host and path, however it is written."""
    text = re.sub(r"^[a-z][a-z0-9+.-]*://([^/@]*@)?|^[^/@:]+@", "", url.lower())
    text = re.sub(r"^([^/:]+):([^/0-9])", r"\1/\2", text)
    return re.sub(r"(\.git)?/*$", "", text)


def repositories(given: Given) -> dict[Key, Known]:
    """Each once: where two sources read it, of the host's own tool, else of the first listed."""
    position = {source.name: n for n, source in enumerate(given.sources)}
    best: dict[str, tuple[tuple[bool, int], str, Repository]] = {}
    for source, repository in given.all(Repository):
        rank = (given.kind_of(source) == "git", position[source])
        where = address(repository.url)
        if where not in best or rank < best[where][0]:
            best[where] = (rank, source, repository)
    kept = [(source, repository) for _, source, repository in best.values()]
    names = [repository.name for _, repository in kept]
    scopes = {(source, r.id): scope for source, scope, r in given.records if isinstance(r, Repository)}
    return {
        (source, r.id): Known(
            (source, r.id),
            r.name if names.count(r.name) == 1 else f"{source}/{r.name}",
            r.url,
            given.covered[source, scopes[source, r.id]],
        )
        for source, r in kept
    }


def parts(given: Given, known: dict[Key, Known]) -> list[Part]:
    """Which services are made of which repositories; without configured ones each repository is one."""
    if not given.services:
        return [Part(repository.name, key, ()) for key, repository in known.items()]
    return [
        Part(service.name, key, service.paths)
        for service in given.services
        for key, repository in known.items()
        if any(
            fnmatchcase(repository.name, pattern)
            or ("/" in pattern and address(pattern) == address(repository.url))
            for pattern in service.repositories
        )
    ]


def locate(known: dict[Key, Known], source: str, repository: str | None, url: str | None) -> Key | None:
    """The repository that a record names by id within its source or by address."""
    if repository is not None:
        return (source, repository) if (source, repository) in known else None
    found = [key for key, one in known.items() if url is not None and address(one.url) == address(url)]
    return found[0] if found else None
