"""Reads a small Backstage again and again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from connectors.backstage import BackstageConnector, BackstageOptions
from connectors.connector import Context, Item, Note
from connectors.records import CapabilityState, CapabilityUse, Identity, Membership, Service, Team
from tests.connectors.backstage_portal import TOKEN, Portal
from tests.connectors.contract import Loaded
from tests.serving import Received, serving

R = TypeVar("R", Team, Membership, Identity, Service, CapabilityUse, CapabilityState)

CONTEXT = Context(Path("unused"), b"key")
BY_QUERY = "/api/catalog/entities/by-query"


@contextmanager
def reading(portal: Portal) -> Iterator[Reader]:
    received: list[Received] = []
    with serving(portal.server, received) as url:
        yield Reader(url, received)


class Reader:
    """Reads what is new each time, and remembers what it requested for that."""

    def __init__(self, url: str, received: list[Received]) -> None:
        self.url = url
        self.received = received
        self.loaded = Loaded()

    def connector(self, **options: Any) -> BackstageConnector:
        chosen = {"token": TOKEN, **options}
        return BackstageConnector("backstage", BackstageOptions(url=self.url, **chosen), CONTEXT)

    def read(self, **options: Any) -> list[Item]:
        self.received.clear()
        items = list(self.connector(**options).read(self.loaded.cursors))
        self.loaded.load(items)
        return items

    def records(self, kind: type[R]) -> list[R]:
        return sorted(each for each in self.loaded.records.values() if isinstance(each, kind))

    def service(self, name: str) -> Service:
        return next(each for each in self.records(Service) if each.name == name)

    def asked(self, kind: str) -> list[dict[str, str]]:
        """The queries of a walk over the entities of one kind, its first page's only."""
        queries = [dict(each.query) for each in self.received if each.path == BY_QUERY]
        return [query for query in queries if query.get("filter", "").startswith(f"kind={kind}")]


def of(items: list[Item], kind: type) -> list[Any]:
    return [item for item in items if isinstance(item, kind)]


def notes(items: list[Item]) -> list[str]:
    return [note.message for note in of(items, Note)]
