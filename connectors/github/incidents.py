"""GitHub's issues that are incidents: those with one of the configured labels.

What changed last comes first and is read until it is known. Where an issue lost its label, or
an old one was given it, the numbers no longer add up, and all are read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from pydantic import JsonValue

from connectors.connector import Batch, Item
from connectors.github import queries as github_queries
from connectors.github.api import GitHub, Listed, Progress, connection
from connectors.parsing import instant, moment, parsed
from connectors.records import Incident
from connectors.snapshot import fields

STREAM = "incident"


class _Known(NamedTuple):
    """The issues with one label that have been read."""

    at: str = ""
    """Up to when, in GitHub's spelling, by which times can be compared."""
    numbers: frozenset[int] = frozenset()

    @classmethod
    def of(cls, value: JsonValue) -> _Known:
        """As a cursor keeps it."""
        kept = fields(value)
        numbers = kept.get("numbers")
        listed = numbers if isinstance(numbers, list) else []
        return cls(str(kept.get("at", "")), frozenset(each for each in listed if isinstance(each, int)))

    def kept(self) -> JsonValue:
        """For a cursor to keep."""
        return {"at": self.at, "numbers": [*sorted(self.numbers)]}


class _Read(NamedTuple):
    nodes: list[Mapping[str, Any]]
    known: _Known
    is_explained: bool
    """What was known and what is new are as many as there are."""


def read(github: GitHub, repository: Listed, labels: Sequence[str], progress: Progress) -> Iterator[Item]:
    """Yield those that changed, or all where that does not explain their number; raises `HttpError`."""
    before = fields(progress.part(STREAM).get("known"))
    parts = {label: _read(github, repository, label, _Known.of(before.get(label))) for label in labels}
    is_whole = before.keys() != parts.keys() or not all(part.is_explained for part in parts.values())
    if is_whole and before:
        parts = {label: _read(github, repository, label, _Known()) for label in labels}
    nodes = {node["number"]: node for part in parts.values() for node in part.nodes}
    records, failed = parsed(
        nodes.values(),
        lambda node: _incident(node, repository.id),
        STREAM,
        repository.id,
        lambda node: node["number"],
    )
    yield from failed
    begins_at = github.begins_at
    records = [record for record in records if begins_at is None or record.opened_at >= begins_at]
    progress.move(
        incident={
            "mark": repository.marks[STREAM],
            "known": {label: part.known.kept() for label, part in parts.items()},
        }
    )
    if records or before:
        yield Batch(STREAM, repository.id, records, progress.carried(), is_whole=is_whole)


def _read(github: GitHub, repository: Listed, label: str, known: _Known) -> _Read:
    """What changed since it was `known`."""
    nodes: list[Mapping[str, Any]] = []
    after: str | None = None
    while True:
        found, errors = github.repository(
            github_queries.INCIDENTS, repository, STREAM, label=label, after=after
        )
        page = connection(found, "issues", errors)
        fresh = [node for node in page.items if node and node["updatedAt"] >= known.at]
        nodes += fresh
        after = page.end
        if after is None or len(fresh) < len(page.items):
            break
    numbers = known.numbers | {int(node["number"]) for node in nodes}
    at = max((str(node["updatedAt"]) for node in nodes), default=known.at)
    return _Read(nodes, _Known(at, numbers), len(numbers) == page.total)


def _incident(node: Mapping[str, Any], repository: str) -> Incident:
    closed_at = instant(node["closedAt"])
    return Incident(
        id=str(int(node["databaseId"])),
        service=None,
        repository=repository,
        severity=None,
        status="open" if closed_at is None else "resolved",
        opened_at=moment(node["createdAt"]),
        acknowledged_at=None,
        resolved_at=closed_at,
        deployment=None,
        sha=None,
        change_number=None,
        url=str(node["url"]),
    )
