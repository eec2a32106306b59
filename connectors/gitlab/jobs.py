"""GitLab's jobs, 100 to a request and newest first.

A pipeline that changed after its jobs were read is asked for them again, and one that has none
for itself. A job that was retried is another job of its pipeline.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from pydantic import JsonValue

from connectors.connector import Batch, Item, Note, Quarantined
from connectors.gitlab.api import GitLab, Project, changed_at, told_at
from connectors.http import Forbidden, NotFound
from connectors.parsing import Malformed, instant, parsed
from connectors.records import Job

STREAM = "job"

RESULTS = {
    "success": "success",
    "failed": "failed",
    "canceled": "cancelled",
    "skipped": "skipped",
    "created": "running",
    "waiting_for_resource": "running",
    "waiting_for_callback": "running",
    "preparing": "running",
    "pending": "running",
    "running": "running",
    "canceling": "running",
    "scheduled": "running",
    # It waits for somebody: of a job see below.
    "manual": "running",
}
"""GitLab's word for where a pipeline or a job is → ours."""

_BATCH_SIZE = 5_000
_MOST_PAGES = 20
"""Of 100 jobs, that are read of one pipeline."""


class Known(NamedTuple):
    """The jobs that have been read: all up to these ids."""

    job: int = 0
    pipeline: int = 0

    @classmethod
    def of(cls, value: JsonValue) -> Known:
        """From a cursor."""
        match value:
            case {"job": int(job), "pipeline": int(pipeline)}:
                return cls(job, pipeline)
        return cls()

    def kept(self) -> JsonValue:
        """For a cursor to keep."""
        return {"job": self.job, "pipeline": self.pipeline}

    def after(self, items: Sequence[Any]) -> Known:
        """Once these jobs are read."""
        jobs = [_whole(item, "id") for item in items]
        pipelines = [_whole(item.get("pipeline"), "id") for item in items if isinstance(item, dict)]
        return Known(max([self.job, *jobs]), max([self.pipeline, *pipelines]))


class Span(NamedTuple):
    """From the first start to the last end of a pipeline's jobs."""

    started_at: datetime | None = None
    finished_at: datetime | None = None
    is_over: bool = True

    def with_job(self, job: Job) -> Span:
        started = [at for at in (self.started_at, job.started_at) if at]
        finished = [at for at in (self.finished_at, job.finished_at) if at]
        is_over = self.is_over and job.result != "running"
        return Span(min(started, default=None), max(finished, default=None), is_over)


class Jobs:
    """Reads the jobs of one project."""

    def __init__(
        self, gitlab: GitLab, project: Project, known: Known, days: int | None, floor: datetime | None
    ) -> None:
        """`known` have been read before; those from before `floor` are not, and with 0 `days` none are."""
        self._gitlab = gitlab
        self._project = project
        self._known = known
        self._floor = floor
        self._is_wanted = days != 0
        self._walked_at: datetime | None = None
        self._spans: dict[int, Span] = {}
        self._records: list[Job] = []
        self._quarantined: list[Quarantined] = []
        self.reached = known
        """What has been read when all that was yielded is loaded."""

    def walked(self, pipelines: Sequence[Any]) -> Iterator[Item]:
        """Yield the jobs that are new, where one of the changed `pipelines` is or nothing is known yet."""
        if not self._is_wanted or (self._known.job and not any(map(self._is_new, pipelines))):
            return
        try:
            for answer in self._gitlab.newest_first(f"/projects/{self._project.id}/jobs", STREAM):
                walked_at = self._walked_at or told_at(answer)
                page = answer.json()
                fresh = [item for item in page if self._is_fresh(item)]
                self._take(fresh)
                if len(self._records) >= _BATCH_SIZE:
                    yield from self.asked_for()
                self.reached = self.reached.after(fresh)
                self._walked_at = walked_at
                if len(fresh) < len(page):
                    break
        except (Forbidden, NotFound) as error:
            self._is_wanted = False
            yield Note(self._project.id, f"no jobs are read: {error}")
        yield from self.asked_for()

    def span(self, pipeline: Any) -> Span | None:
        """When a pipeline ran; None where nothing tells. Raises `HttpError`."""
        number = _whole(pipeline, "id")
        if not self._is_wanted or not number or not self._is_late(pipeline):
            return None
        is_over = RESULTS.get(str(pipeline.get("status"))) != "running"
        changed = changed_at(pipeline)
        known = self._spans.get(number)
        is_read = self._is_new(pipeline) and self._walked_at and not (changed and changed > self._walked_at)
        if is_read and known and (known.is_over or not is_over):
            return known
        path = f"/projects/{self._project.id}/pipelines/{number}"
        try:
            if not is_read or known:
                known = self._take(
                    self._gitlab.listed(f"{path}/jobs", STREAM, {"include_retried": "true"}, _MOST_PAGES)
                )
            if known or not is_over:
                return known
            alone = self._gitlab.get(path, "pipeline_run")
            return Span(instant(alone.get("started_at")), instant(alone.get("finished_at")))
        except (Forbidden, NotFound, Malformed, AttributeError):
            # Deleted meanwhile, or not for these eyes.
            return None

    def asked_for(self) -> Iterator[Item]:
        """Yield the jobs read since the last time."""
        yield from self._quarantined
        if self._records:
            yield Batch(STREAM, self._project.id, self._records)
        self._records, self._quarantined = [], []

    def _take(self, items: Sequence[Any]) -> Span | None:
        """Make records of jobs; gives the span of the last one's pipeline."""
        records, failed = parsed(items, self._job, STREAM, self._project.id, lambda item: item["id"])
        self._records += records
        self._quarantined += failed
        span = None
        for record in records:
            number = int(record.run)
            span = self._spans.get(number, Span()).with_job(record)
            self._spans[number] = span
        return span

    def _is_new(self, pipeline: Any) -> bool:
        """Whether all of its jobs are among those that a walk finds."""
        return _whole(pipeline, "id") > self._known.pipeline and self._is_late(pipeline)

    def _is_fresh(self, job: Any) -> bool:
        number = _whole(job, "id")
        return (not number or number > self._known.job) and self._is_late(job)

    def _is_late(self, item: Any) -> bool:
        if self._floor is None:
            return True
        try:
            at = instant(item.get("created_at"))
        except (AttributeError, Malformed):
            return True
        return at is None or at >= self._floor

    def _job(self, item: Mapping[str, Any]) -> Job:
        status = item["status"]
        started_at, finished_at = instant(item["started_at"]), instant(item["finished_at"])
        waited = item.get("queued_duration")
        runner = item.get("runner") or {}
        kinds = item.get("tag_list") or [runner.get("runner_type")]
        # What nobody has started is no part of the run yet, and mostly never becomes one.
        result = "skipped" if status == "manual" else RESULTS.get(status, "unknown")
        return Job(
            id=str(int(item["id"])),
            run=str(int(item["pipeline"]["id"])),
            attempt=1,
            repository=self._project.id,
            name=str(item["name"]),
            runner=", ".join(str(kind) for kind in kinds if kind) or None,
            queued_at=started_at - timedelta(seconds=waited) if started_at and waited is not None else None,
            started_at=started_at,
            finished_at=None if result == "running" else finished_at,
            result=result,
            url=str(item["web_url"]),
        )


def _whole(item: Any, field: str) -> int:
    value = item.get(field) if isinstance(item, dict) else None
    return value if isinstance(value, int) else 0
