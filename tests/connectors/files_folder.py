"""A folder of exports, and a `files` source that reads them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from connectors.connector import Context, Item, Problem, Quarantined
from connectors.files import FilesConnector
from connectors.files.options import FilesOptions
from tests.connectors.contract import Loaded

HEADER = "id,repository_url,environment,sha,status,created_at"


def deployment(number: int, status: str = "success") -> str:
    return f"{number},https://host.example/shop,prod,{number:040x},{status},2026-01-01T00:00:0{number % 10}Z"


class Files:
    """A folder of exports and a source that reads them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.loaded = Loaded()
        self.settings: list[dict[str, Any]] = []

    def write(self, name: str, *lines: str, end: str = "\n", encoding: str = "utf-8") -> Path:
        return self.write_bytes(name, "".join(line + end for line in lines).encode(encoding))

    def write_bytes(self, name: str, content: bytes) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        old = path.stat().st_mtime_ns - 10**10
        os.utime(path, ns=(old, old))
        return path

    def connector(self, cache: Path | None = None) -> FilesConnector:
        options = FilesOptions.model_validate({"files": self.settings}, context={"folder": self.folder})
        return FilesConnector("files", options, Context(cache or self.folder / "cache", b"key"))

    def read(self, path: str, record: str = "deployment", **settings: object) -> list[Item]:
        """What is new in one entry since it was last read."""
        self.settings = [{"path": path, "record": record, **settings}]
        items = list(self.connector().read(self.loaded.cursors))
        self.loaded.load(items)
        return items

    def records(self) -> list[Any]:
        return list(self.loaded.records.values())


def of(items: list[Item], kind: type) -> list[Any]:
    return [item for item in items if isinstance(item, kind)]


def only_problem(items: list[Item]) -> Problem:
    (problem,) = of(items, Problem)
    assert isinstance(problem, Problem)
    return problem


def refused(items: list[Item]) -> dict[str, str]:
    return {item.id: item.reason for item in of(items, Quarantined)}
