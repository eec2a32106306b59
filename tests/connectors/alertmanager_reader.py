"""Reads a stand-in of `alertmanager_host` by the connector, time and again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.alertmanager.connector import AlertmanagerConnector, AlertmanagerOptions
from connectors.connector import Context, Item
from connectors.records import Incident
from tests.connectors.alertmanager_host import AlertHost
from tests.connectors.contract import Loaded
from tests.serving import Received, serving

CONTEXT = Context(Path("unused"), b"key")


@pytest.fixture
def host() -> AlertHost:
    return AlertHost()


class Reader:
    """Reads what is new each time."""

    def __init__(self, url: str, received: list[Received]) -> None:
        self.url = url
        self.received = received
        self.loaded = Loaded()

    def connector(self, *, remembers: bool = True, **options: Any) -> AlertmanagerConnector:
        if remembers:
            options["prometheus_url"] = f"{self.url}/prometheus"
        return AlertmanagerConnector("alerts", AlertmanagerOptions(url=self.url, **options), CONTEXT)

    def read(self, *, remembers: bool = True, **options: Any) -> list[Item]:
        self.received.clear()
        connector = self.connector(remembers=remembers, **options)
        items = list(connector.read(self.loaded.cursors))
        self.loaded.load(items)
        return items

    @property
    def incidents(self) -> list[Incident]:
        found = [each for each in self.loaded.records.values() if isinstance(each, Incident)]
        return sorted(found, key=lambda incident: incident.opened_at)


@pytest.fixture
def reader(host: AlertHost) -> Iterator[Reader]:
    received: list[Received] = []
    with serving(host.app(), received) as url:
        yield Reader(url, received)


def of(items: list[Item], kind: type) -> list[Any]:
    return [item for item in items if isinstance(item, kind)]
