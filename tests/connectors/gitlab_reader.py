"""Reads a GitLab of `gitlab_host` by the connector, time and again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from connectors.connector import Context, Item
from connectors.gitlab import GitLabConnector
from connectors.gitlab.options import GitLabOptions
from connectors.records import Record
from tests.connectors.contract import Loaded
from tests.connectors.gitlab_host import GitLabHost, Project
from tests.serving import Received, serving

R = TypeVar("R")


class Reader:
    """Reads what is new each time, and remembers what it asked for that."""

    def __init__(self, host: GitLabHost, url: str, cache: Path, options: dict[str, Any]) -> None:
        self.host = host
        self.url = url + host.prefix
        self.cache = cache
        self.options = options
        self.loaded = Loaded()
        self.received: list[Received] = []

    def connector(self, **options: Any) -> GitLabConnector:
        asked = {"url": self.url, "token": self.host.token, "group": "acme", **self.options, **options}
        context = Context(self.cache, b"key")
        return GitLabConnector("gitlab", GitLabOptions.model_validate(asked), context)

    def read(self, **options: Any) -> list[Item]:
        self.host.asked.clear()
        self.received.clear()
        items = list(self.connector(**options).read(self.loaded.cursors))
        self.loaded.load(items)
        return items

    def records(self, kind: type[R]) -> list[R]:
        return [record for record in self.loaded.records.values() if isinstance(record, kind)]

    def only(self, kind: type[R]) -> R:
        (record,) = self.records(kind)
        return record

    def asked(self, part: str) -> int:
        """How many of the last reading's paths hold `part`."""
        return sum(part in path for path in self.host.asked)


@contextmanager
def reading(host: GitLabHost | Project, tmp_path: Path, **options: Any) -> Iterator[Reader]:
    host = host if isinstance(host, GitLabHost) else GitLabHost(host)
    received: list[Received] = []
    with serving(host, received, date_header=False) as url:
        reader = Reader(host, url, tmp_path / "cache", options)
        reader.received = received
        yield reader


def of(items: list[Item], kind: type[R]) -> list[R]:
    return [item for item in items if isinstance(item, kind)]


def person(name: str) -> str:
    return Context(Path(), b"key").person(name)


def landed(items: list[Item]) -> str:
    return repr(items)


__all__ = ["Reader", "Record", "landed", "of", "person", "reading"]
