"""GitHub's releases: the newest 100 where that explains what changed, else all of them.

One that was edited, and is not among the ten newest, is seen with the next change.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from connectors.connector import Batch, Item
from connectors.github import queries as github_queries
from connectors.github.api import Found, GitHub, Listed, Progress, connection
from connectors.parsing import instant, parsed
from connectors.records import Release

STREAM = "release"


def read(github: GitHub, repository: Listed, progress: Progress) -> Iterator[Item]:
    """Yield the newest where new ones account for their number, else all of them; raises `HttpError`."""
    state = progress.part(STREAM)
    page = _page(github, repository, None)
    nodes = page.items
    newest = [node["databaseId"] for node in nodes if node]
    known, count = state.get("newest"), state.get("count")
    is_explained = (
        isinstance(known, list)
        and isinstance(count, int)
        and page.total == count + len(set(newest) - set(map(_id, known)))
    )
    while page.end and not is_explained:
        page = _page(github, repository, page.end)
        nodes = [*nodes, *page.items]
    records, failed = parsed(
        nodes,
        lambda node: _release(node, repository.id),
        STREAM,
        repository.id,
        lambda node: node["databaseId"],
    )
    yield from failed
    progress.move(release={"mark": repository.marks[STREAM], "newest": newest, "count": page.total})
    begins_at = github.begins_at
    records = [
        each
        for each in records
        if begins_at is None or each.published_at is None or each.published_at >= begins_at
    ]
    if records or state:
        # A draft may bear the tag of a release, which then counts.
        records.sort(key=lambda record: record.published_at is not None)
        yield Batch(STREAM, repository.id, records, progress.carried(), is_whole=not is_explained)


def _page(github: GitHub, repository: Listed, after: str | None) -> Found:
    found, errors = github.repository(github_queries.RELEASES, repository, STREAM, after=after)
    return connection(found, "releases", errors)


def _id(known: Any) -> int | None:
    return known if isinstance(known, int) else None


def _release(node: Mapping[str, Any], repository: str) -> Release:
    return Release(
        repository=repository,
        tag=str(node["tagName"]),
        sha=node["tagCommit"]["oid"] if node["tagCommit"] else None,
        published_at=None if node["isDraft"] else instant(node["publishedAt"]),
        is_prerelease=bool(node["isPrerelease"]),
        url=str(node["url"]),
    )
