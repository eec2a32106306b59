"""GitLab's deployments, and which of their environments GitLab takes for production."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import JsonValue

from connectors.connector import Context, Item
from connectors.gitlab.api import GitLab, Marker, Progress, Project
from connectors.http import Forbidden, NotFound
from connectors.parsing import instant, moment, parsed
from connectors.records import Deployment
from connectors.snapshot import fields

STREAM = "deployment"

_RESULTS = {
    "created": "running",
    "running": "running",
    "blocked": "running",
    "success": "success",
    "failed": "failed",
    "canceled": "cancelled",
    "skipped": "skipped",
}
_REVIEW = "review/"


def read(gitlab: GitLab, project: Project, progress: Progress) -> Iterator[Item]:
    """Yield those that changed, oldest change first; raises `HttpError`."""
    marker = Marker.of(progress.state.get("deployments"))
    tiers = _Tiers(gitlab, project, progress.state.get("tiers"))
    path = f"/projects/{project.id}/deployments"
    for items, reached in gitlab.changes(path, STREAM, marker):
        for item in items:
            tiers.ask(item)
        records, failed = parsed(
            items,
            lambda item: _deployment(gitlab.context, project, tiers, item),
            STREAM,
            project.id,
            lambda item: item["id"],
        )
        yield from failed
        yield progress.batch(STREAM, records, deployments=reached.kept(), tiers=tiers.kept())


class _Tiers:
    """What GitLab takes an environment for: the list of deployments doesn't say."""

    def __init__(self, gitlab: GitLab, project: Project, known: JsonValue) -> None:
        self._gitlab = gitlab
        self._project = project
        self._known: dict[str, tuple[str, str | None]] = {}
        for id_, value in fields(known).items():
            match value:
                case [str(at), str() | None as tier]:
                    self._known[id_] = (at, tier)

    def ask(self, item: Any) -> None:
        """Ask for the tier of a deployment's environment, unless it is known; raises `HttpError`."""
        environment = fields(fields(item).get("environment"))
        id_ = environment.get("id")
        if not isinstance(id_, int) or str(environment.get("name")).startswith(_REVIEW):
            return
        at = str(environment.get("updated_at"))
        if self._known.get(str(id_), ("", None))[0] == at:
            return
        try:
            said = self._gitlab.get(f"/projects/{self._project.id}/environments/{id_}", STREAM)
            tier = said.get("tier") if isinstance(said, dict) else None
        except (Forbidden, NotFound):
            tier = None
        self._known[str(id_)] = (at, tier if isinstance(tier, str) else None)

    def is_production(self, environment: Mapping[str, Any]) -> bool | None:
        if str(environment["name"]).startswith(_REVIEW):
            return False
        _, tier = self._known[str(environment["id"])]
        return None if tier is None else tier == "production"

    def kept(self) -> JsonValue:
        """For a cursor to keep."""
        return {id_: [at, tier] for id_, (at, tier) in self._known.items()}


def _deployment(context: Context, project: Project, tiers: _Tiers, item: Mapping[str, Any]) -> Deployment:
    job = item.get("deployable") or {}
    status = _RESULTS.get(item["status"], "unknown")
    if item["status"] == "created" and job.get("status") == "manual":
        # It waits for somebody to start it, which mostly nobody does.
        status = "skipped"
    finished_at = None
    if status not in {"running", "skipped"}:
        # One that another tool reports has no job.
        finished_at = instant(job.get("finished_at")) or instant(item.get("updated_at"))
    ref = item["ref"]
    environment = item["environment"]
    return Deployment(
        id=str(int(item["id"])),
        repository=project.id,
        repository_url=None,
        service=None,
        environment=_environment(context, project, str(environment["name"]), ref),
        is_production=tiers.is_production(environment),
        sha=item["sha"],
        ref=ref if ref is None or job.get("tag") is True else context.branch(ref, project.default_branch),
        status=status,
        created_at=moment(item["created_at"]),
        started_at=instant(job.get("started_at")),
        finished_at=finished_at,
        url=job.get("web_url"),
    )


def _environment(context: Context, project: Project, name: str, ref: str | None) -> str:
    """Its name, but for what a branch's name is part of: environments are often made for a branch each."""
    if name.startswith(_REVIEW):
        return f"{_REVIEW}*"
    if ref is None or context.branch(ref, project.default_branch) == ref:
        return name
    slug = re.sub(r"[^a-z0-9]", "-", ref.lower())[:63].strip("-")
    for part in (ref, slug):
        if part and part.lower() in name.lower():
            return re.sub(re.escape(part), "*", name, flags=re.IGNORECASE)
    return name
