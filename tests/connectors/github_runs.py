"""What was read of GitHub's Actions."""

from __future__ import annotations

from typing import Any

from connectors.connector import Batch, Item, Problem, Quarantined
from connectors.records import PipelineRun
from tests.connectors.contract import Loaded
from tests.connectors.github_host import of


def attempts(source: Loaded | list[Item]) -> dict[tuple[int, int], PipelineRun]:
    """(Number, attempt) → attempt."""
    return {(int(each.id) - 5000, each.attempt): each for each in of(source, PipelineRun)}


def yielded(items: list[Item], stream: str) -> list[Any]:
    return [
        record
        for item in items
        if isinstance(item, Batch) and item.stream == stream
        for record in item.records
    ]


def wrong(items: list[Item]) -> list[Item]:
    return [item for item in items if isinstance(item, Problem | Quarantined)]
