"""GitLab's pipelines.

The list of pipelines says neither when they started nor when they ended: their jobs do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from connectors.connector import Context, Item
from connectors.gitlab.api import GitLab, Marker, Progress, Project
from connectors.gitlab.jobs import RESULTS, Jobs, Known, Span
from connectors.parsing import instant, moment, parsed
from connectors.records import PipelineRun

STREAM = "pipeline_run"

_MERGE_REQUEST = "refs/merge-requests/"


def read(gitlab: GitLab, project: Project, progress: Progress, jobs_days: int | None) -> Iterator[Item]:
    """Yield what changed: jobs, then their pipelines; raises `HttpError`."""
    known = Known.of(progress.state.get("jobs"))
    jobs = Jobs(gitlab, project, known, jobs_days, _floor(gitlab, jobs_days))
    marker = Marker.of(progress.state.get("pipelines"))
    pages = gitlab.changes(f"/projects/{project.id}/pipelines", STREAM, marker)
    # A page ahead, as the last one moves the cursor past the jobs too.
    page = next(pages, None)
    if page is None and known.job:
        return
    yield from jobs.walked(page[0] if page else [])
    while page is not None:
        items, reached = page
        spans = {id(item): jobs.span(item) for item in items}
        parse = partial(_run, gitlab.context, project, spans)
        records, failed = parsed(items, parse, STREAM, project.id, lambda item: item["id"])
        yield from failed
        yield from jobs.asked_for()
        page = next(pages, None)
        if page is not None:
            yield progress.batch(STREAM, records, pipelines=reached.kept())
        else:
            yield progress.batch(STREAM, records, pipelines=reached.kept(), jobs=jobs.reached.kept())
            return
    progress.move(jobs=jobs.reached.kept())


def _floor(gitlab: GitLab, days: int | None) -> datetime | None:
    """Before it no jobs are read."""
    floors = [] if days is None else [datetime.now(UTC) - timedelta(days)]
    return max([*floors, *([gitlab.begins_at] if gitlab.begins_at else [])], default=None)


def _run(
    context: Context, project: Project, spans: Mapping[int, Span | None], item: Mapping[str, Any]
) -> PipelineRun:
    span = spans[id(item)]
    result = RESULTS.get(item["status"], "unknown")
    finished_at = None
    if result not in {"running", "skipped"}:
        finished_at = (span and span.finished_at) or instant(item["updated_at"])
    ref = item["ref"]
    is_branch = ref is not None and not ref.startswith(_MERGE_REQUEST)
    return PipelineRun(
        id=str(int(item["id"])),
        attempt=1,
        repository=project.id,
        repository_url=None,
        workflow=project.ci_path,
        branch=context.branch(ref, project.default_branch) if is_branch else ref,
        event=str(item.get("source") or "unknown"),
        sha=item["sha"],
        queued_at=moment(item["created_at"]),
        started_at=span.started_at if span else None,
        finished_at=finished_at,
        result=result,
        url=str(item["web_url"]),
    )
