"""Reads a small PagerDuty account again and again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from connectors.connector import Context, Item
from connectors.pagerduty import PagerDutyConnector, PagerDutyOptions
from connectors.records import ChangeEvent, Incident, Membership, Service, Team
from tests.connectors.contract import Loaded
from tests.connectors.pagerduty_account import ADA, DAY, SHA, TOKEN, Account
from tests.serving import Received, serving

R = TypeVar("R", Incident, ChangeEvent, Service, Team, Membership)

CONTEXT = Context(Path("unused"), b"key")


def lived() -> Account:
    """An account with an incident that is over, an open one, and a change."""
    made = Account()
    made.opened("Q1", 0, sha=SHA)
    made.logged("Q1", 5, "acknowledge", ADA)
    made.logged("Q1", 30, "resolve", ADA)
    made.opened("Q2", 200 * DAY, service="PSITE02")
    made.announced("C1", 1)
    return made


@contextmanager
def reading(account: Account) -> Iterator[Reader]:
    received: list[Received] = []
    with serving(account.server, received) as url:
        yield Reader(url, received)


class Reader:
    """Reads what is new each time, and remembers what it requested for that."""

    def __init__(self, url: str, received: list[Received]) -> None:
        self.url = url
        self.received = received
        self.loaded = Loaded()
        self.requests: list[Received] = []

    def connector(self, **options: Any) -> PagerDutyConnector:
        chosen = {"token": TOKEN, **options}
        return PagerDutyConnector("pagerduty", PagerDutyOptions(url=self.url, **chosen), CONTEXT)

    def read(self, **options: Any) -> list[Item]:
        self.received.clear()
        items = list(self.connector(**options).read(self.loaded.cursors))
        self.requests = list(self.received)
        self.loaded.load(items)
        return items

    def records(self, kind: type[R]) -> list[R]:
        return [record for record in self.loaded.records.values() if isinstance(record, kind)]

    def incident(self, id_: str) -> Incident:
        return next(each for each in self.records(Incident) if each.id == id_)


def of(items: list[Item], kind: type) -> list[Any]:
    return [item for item in items if isinstance(item, kind)]


def spoilt(id_: str, **fields: Any) -> Any:
    """A change that replaces fields of one item, wherever it is listed."""

    def change(path: str, body: Any) -> Any:
        for value in body.values():
            for item in value if isinstance(value, list) else [value]:
                if isinstance(item, dict) and item.get("id") == id_:
                    item.update(fields)
        return body

    return change
