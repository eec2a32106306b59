"""An attempt of an Actions run, and a job of one, as records."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from connectors.connector import Context
from connectors.github.api import Listed
from connectors.parsing import Malformed, instant, moment
from connectors.records import Job, PipelineRun

_RESULTS = {
    "success": "success",
    # A check without an opinion: it blocks nothing.
    "neutral": "success",
    "failure": "failed",
    "timed_out": "failed",
    "startup_failure": "failed",
    "cancelled": "cancelled",
    # GitHub gave up waiting for it.
    "stale": "cancelled",
    "skipped": "skipped",
    # It waits for somebody to allow it, and did not run.
    "action_required": "skipped",
}


def result(status: object, conclusion: object) -> str:
    """One of `RESULTS`: how a run or job with GitHub's `status` and `conclusion` ended."""
    return _RESULTS.get(str(conclusion), "unknown") if status == "completed" else "running"


def pipeline_run(run: Mapping[str, Any], repository: Listed, context: Context) -> PipelineRun:
    """One attempt of a run; raises as `parsed` expects."""
    attempt = attempt_of(run)
    created_at = moment(run["created_at"])
    started_at = instant(run.get("run_started_at")) or created_at
    how = result(run["status"], run["conclusion"])
    return PipelineRun(
        id=str(int(run["id"])),
        attempt=attempt,
        repository=repository.id,
        repository_url=None,
        # Behind it may stand the branch it was taken from.
        workflow=str(run["path"]).partition("@")[0],
        branch=_branch(run, repository, context),
        event=str(run["event"]),
        sha=run["head_sha"],
        # Every attempt keeps the time at which the first one was created.
        queued_at=created_at if attempt == 1 else started_at,
        started_at=started_at,
        finished_at=None if how == "running" else moment(run["updated_at"]),
        result=how,
        url=str(run["html_url"]),
    )


def job(item: Mapping[str, Any], repository: Listed) -> Job:
    """A job of an attempt; raises as `parsed` expects."""
    how = result(item["status"], item["conclusion"])
    return Job(
        id=str(int(item["id"])),
        run=str(int(item["run_id"])),
        attempt=attempt_of(item),
        repository=repository.id,
        name=_without_branch(str(item["name"]), item.get("head_branch"), repository.default_branch),
        runner=", ".join(item["labels"]) or None,
        queued_at=instant(item.get("created_at")),
        started_at=instant(item["started_at"]),
        finished_at=None if how == "running" else instant(item["completed_at"]),
        result=how,
        url=item["html_url"],
    )


def _without_branch(name: str, branch: object, default: str | None) -> str:
    """The name of a job of a matrix may hold that of the branch, which may be personal."""
    return name.replace(branch, "*") if isinstance(branch, str) and branch and branch != default else name


def attempt_of(run: Mapping[str, Any]) -> int:
    """Number of the attempt, from 1; where it is not said, there is one."""
    attempt = run.get("run_attempt")
    return attempt if isinstance(attempt, int) and attempt > 0 else 1


def name_of(run: Mapping[str, Any]) -> str:
    """What is different whenever there is news of a run."""
    return ":".join(str(run.get(each)) for each in ("id", "run_attempt", "updated_at", "conclusion"))


def time_of(run: Mapping[str, Any], field: str) -> datetime | None:
    """A time as far as it can be understood: the run is quarantined where it cannot."""
    try:
        return instant(run.get(field))
    except Malformed:
        return None


def _branch(run: Mapping[str, Any], repository: Listed, context: Context) -> str | None:
    name = run["head_branch"]
    if name is None:
        return None
    head = run.get("head_repository")
    if head is None or str(head["id"]) != repository.id:
        # A fork's `main` is not this repository's.
        return context.branch(f"fork:{name}")
    return context.branch(name, repository.default_branch)
