"""GitLab's incidents, and issues with a label that makes them one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from connectors.connector import Item
from connectors.gitlab.api import GitLab, Marker, Progress, Project
from connectors.parsing import instant, moment, parsed
from connectors.records import Incident

STREAM = "incident"


def read(gitlab: GitLab, project: Project, labels: Sequence[str], progress: Progress) -> Iterator[Item]:
    """Yield those that changed; raises `HttpError`. One that stopped being an incident stays."""
    # With labels of its own, a project's issues are asked for once and not label by label.
    params = {"scope": "all"} | ({} if labels else {"issue_type": "incident"})
    marker = Marker.of(progress.state.get("issues"))
    wanted = {label.casefold() for label in labels}
    for items, reached in gitlab.changes(f"/projects/{project.id}/issues", STREAM, marker, params):
        incidents = [item for item in items if not isinstance(item, dict) or _is_incident(item, wanted)]
        records, failed = parsed(
            incidents, lambda item: _incident(item, project.id), STREAM, project.id, lambda item: item["iid"]
        )
        yield from failed
        yield progress.batch(STREAM, records, issues=reached.kept())


def _is_incident(item: Mapping[str, Any], labels: set[str]) -> bool:
    if str(item.get("issue_type")).lower() == "incident" or str(item.get("type")).lower() == "incident":
        return True
    return any(str(label).casefold() in labels for label in item.get("labels") or ())


def _incident(item: Mapping[str, Any], project: str) -> Incident:
    severity = item.get("severity")
    is_closed = item["state"] == "closed"
    return Incident(
        id=str(int(item["id"])),
        service=None,
        repository=project,
        severity=None if severity in {None, "UNKNOWN"} else str(severity),
        status="resolved" if is_closed else "open",
        opened_at=moment(item["created_at"]),
        acknowledged_at=None,
        resolved_at=instant(item["closed_at"]) if is_closed else None,
        deployment=None,
        sha=None,
        change_number=None,
        url=str(item["web_url"]),
    )
