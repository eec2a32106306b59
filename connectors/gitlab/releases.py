"""GitLab's releases: a short list, read whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from connectors import snapshot
from connectors.connector import Item
from connectors.gitlab.api import GitLab, Progress, Project
from connectors.parsing import instant, parsed
from connectors.records import Release

STREAM = "release"


def read(gitlab: GitLab, project: Project, progress: Progress) -> Iterator[Item]:
    """Yield all of them where one changed; raises `HttpError`."""
    items = gitlab.listed(
        f"/projects/{project.id}/releases", STREAM, {"order_by": "released_at", "sort": "desc"}
    )
    # A tag may name a person's branch no more than any other, so it may be shown.
    records, failed = parsed(
        items, lambda item: _release(item, project), STREAM, project.id, lambda item: item["tag_name"]
    )
    floor = gitlab.begins_at
    kept = [
        each for each in records if floor is None or each.published_at is None or each.published_at >= floor
    ]
    if not kept and not failed and progress.state.get("releases") is None:
        return
    now = snapshot.digest([*kept, *failed])
    if progress.state.get("releases") != now:
        yield from failed
        yield progress.batch(STREAM, kept, is_whole=True, releases=now)


def _release(item: Mapping[str, Any], project: Project) -> Release:
    tag = str(item["tag_name"])
    commit = item.get("commit")
    return Release(
        repository=project.id,
        tag=tag,
        sha=str(commit["id"]) if commit else None,
        published_at=instant(item["released_at"]),
        is_prerelease=item.get("upcoming_release") is True,
        url=str((item.get("_links") or {}).get("self") or f"{project.url}/-/releases/{tag}"),
    )
