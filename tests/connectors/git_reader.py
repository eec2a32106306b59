"""Reads git repositories by the connector, time and again."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from connectors.connector import Context, Item, Note, Problem
from connectors.git import GitConnector, GitOptions
from connectors.records import Commit, Ref, Repository
from tests.connectors.contract import Loaded

R = TypeVar("R", Commit, Ref, Repository)


def connector(
    cache: Path, *repositories: object, folders: int | None = None, evidence: bool = False
) -> GitConnector:
    options = GitOptions(repositories=tuple(map(str, repositories)), folders=folders, evidence=evidence)
    return GitConnector("git", options, Context(cache, b"key"))


def read(
    cache: Path, *repositories: object, loaded: Loaded | None = None, folders: int | None = None
) -> list[Item]:
    """What is new since `loaded`, which then holds it."""
    loaded = loaded or Loaded()
    items = list(connector(cache, *repositories, folders=folders).read(loaded.cursors))
    loaded.load(items)
    return items


def records(source: list[Item] | Loaded, kind: type[R]) -> list[R]:
    loaded = source if isinstance(source, Loaded) else Loaded(source)
    return [record for record in loaded.records.values() if isinstance(record, kind)]


def of(items: list[Item], kind: type) -> list[Item]:
    return [item for item in items if isinstance(item, kind)]


def only_problem(items: list[Item]) -> Problem:
    (problem,) = [item for item in items if isinstance(item, Problem)]
    return problem


def notes(items: list[Item]) -> list[str]:
    return [item.message for item in items if isinstance(item, Note)]


def listed(repository: Path, *arguments: str) -> list[str]:
    """Lines that git prints: what the connector is held against."""
    output = subprocess.run(["git", "-C", repository, *arguments], check=True, capture_output=True, text=True)
    return output.stdout.splitlines()


def seconds(at: datetime | None) -> int | None:
    return None if at is None else int((at - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds())
