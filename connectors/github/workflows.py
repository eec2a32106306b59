"""Evidence of capabilities: the reusable workflows of other repositories that runs called."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from connectors.connector import Context
from connectors.evidence.found import version
from connectors.github.api import Listed
from connectors.records import CapabilityUse, PipelineRun

STREAM = "capability_use"


def of_run(
    context: Context, repository: Listed, run: PipelineRun, workflows: object
) -> Iterator[CapabilityUse]:
    """The reusable workflows of other repositories that an attempt of a run called."""
    for each in workflows if isinstance(workflows, list) else []:
        if not isinstance(each, dict) or not isinstance(each.get("path"), str):
            continue
        what, _, said = each["path"].partition("@")
        if not what.casefold().startswith(f"{repository.full_name}/".casefold()):
            yield CapabilityUse(
                id=f"run:{run.id}:{run.attempt}:{what}",
                capability=f"workflow:{what}",
                subject_kind="repository",
                subject=repository.id,
                happened_at=_happened_at(run),
                kind="used",
                result=run.result,
                finished_at=run.finished_at,
                version=version(str(each.get("ref") or said), context.branch),
                url=run.url,
                place=run.workflow,
            )


def _happened_at(run: PipelineRun) -> datetime:
    at = run.started_at or run.queued_at
    assert at is not None, "every run was queued"
    return at
