"""The sync job: one definition, run by Dagster's schedule and by `cairn sync` alike."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any, Literal

import dagster as dg
from filelock import FileLock, Timeout
from sqlalchemy import event
from sqlalchemy.engine import Engine

from pipelines import annotating, assets, status
from pipelines.annotating import AnnotationError
from pipelines.assets import Run
from pipelines.home import Home, write_atomically
from pipelines.status import SyncRun
from pipelines.workspace import Workspace

SYNC = "sync"
EVERY_HOUR = "7 * * * *"

_DAGSTER_YAML = """\
telemetry:
  enabled: false
event_log_storage:
  module: pipelines.event_log
  class: EventLog
  config:
    base_dir: {folder}
# Capturing a step's output starts two processes; what Cairn has to say is in its log.
compute_logs:
  module: dagster._core.storage.noop_compute_log_manager
  class: NoOpComputeLogManager
python_logs:
  managed_python_loggers: [connectors, pipelines]
"""


def definitions(workspace: Workspace, home: Home, run: Run | None = None) -> dg.Definitions:
    """Assets, job and schedule for one workspace. `run` is what the steps share; by default new each run."""
    job = dg.define_asset_job(SYNC, selection=dg.AssetSelection.all(), executor_def=dg.in_process_executor)
    return dg.Definitions(
        assets=[
            *(assets.source_asset(source) for source in workspace.sources),
            assets.raw_asset(workspace.sources),
            assets.model_asset(),
            assets.snapshot_asset(),
        ],
        jobs=[job],
        schedules=[
            dg.ScheduleDefinition(
                name="hourly",
                job=job,
                cron_schedule=EVERY_HOUR,
                execution_timezone=workspace.timezone,
                default_status=dg.DefaultScheduleStatus.RUNNING,
            )
        ],
        resources={"run": _exclusive(lambda: run or Run(home, workspace))},
        executor=dg.in_process_executor,
    )


def run_in_foreground(
    run: Run, *, source: str | None, on_wait: Callable[[], None], is_verbose: bool = False
) -> bool:
    """Run the job in this process, for one source or all; False where a step failed.

    Waits, after calling `on_wait`, while another run holds the lock. An interrupt is recorded by Dagster
    and raised again.
    """
    run.home.create()
    prepare_instance(run.home)
    defs = definitions(run.workspace, run.home, run)
    job = defs.resolve_job_def(SYNC)
    selection = None
    if source:
        others = [f"read_{assets.identifier(s.name)}" for s in run.workspace.sources if s.name != source]
        selection = [
            key
            for definition in defs.assets or []
            if isinstance(definition, dg.AssetsDefinition) and definition.op.name not in others
            for key in definition.keys
        ]
    level = "INFO" if is_verbose else "CRITICAL"
    event.listen(Engine, "connect", _sync_at_checkpoints)
    with lock(run.home, on_wait), dg.DagsterInstance.from_config(str(run.home.dagster)) as instance:
        result = job.execute_in_process(
            instance=instance,
            asset_selection=selection,
            raise_on_error=False,
            run_config={"loggers": {"console": {"config": {"log_level": level}}}},
        )
    failures = [step.step_failure_data.error for step in result.all_events if step.is_step_failure]
    for error in failures:
        cause = error.cause if error and error.cause else error
        # What Cairn raises itself is said for people; its class is not.
        run.failure = re.sub(r"^pipelines\.\S+: ", "", cause.message.strip()) if cause else None
        # DuckDB says it in words of its own.
        if cause and (
            cause.cls_name == "DagsterExecutionInterruptedError" or "Query interrupted" in cause.message
        ):
            raise KeyboardInterrupt
    return bool(result.success)


def _sync_at_checkpoints(connection: Any, _: object) -> None:
    """Dagster opens its SQLite log for every event; a disk sync each time takes longer than the work."""
    if isinstance(connection, sqlite3.Connection):
        connection.execute("pragma synchronous = normal")


def prepare_instance(home: Home) -> None:
    """Write Dagster's own settings, telemetry off, for the place where the home is now."""
    settings = _DAGSTER_YAML.format(folder=json.dumps(str(home.dagster / "events")))
    write_atomically(home.dagster / "dagster.yaml", settings.encode())


def lock(home: Home, on_wait: Callable[[], None] = lambda: None) -> AbstractContextManager[object]:
    """The lock that every run holds, taken when this returns.

    It is released when its context ends or the process dies. A process may take it again while
    it holds it.
    """
    shared = FileLock(home.lock, is_singleton=True, thread_local=False)
    try:
        return shared.acquire(timeout=0)
    except Timeout:
        on_wait()
        return shared.acquire()


def _exclusive(make: Callable[[], Run]) -> dg.ResourceDefinition:
    @dg.resource(description="What the steps of a run share; held by one run at a time")
    def run(context: dg.InitResourceContext) -> Iterator[Run]:
        shared, run_id = make(), context.run.run_id if context.run else ""
        shared.home.create()
        with lock(shared.home):
            began_at = datetime.now(UTC)
            status.begin(shared.home, began_at, run_id)
            try:
                _annotate(shared)
                yield shared
            finally:
                names = {source.name for source in shared.workspace.sources}
                status.end(shared.home, names, _outcome(shared, run_id, began_at))

    return run


def _annotate(run: Run) -> None:
    """Hand the workspace's annotations over; a damaged file keeps no figure from being read."""
    try:
        annotating.take(run.home, run.workspace.annotations)
    except AnnotationError as error:
        run.broken.append(str(error))


def _outcome(run: Run, run_id: str, began_at: datetime) -> SyncRun:
    """What a run that is over came to."""
    unread = [read.source for read in run.reads.values() if not read.is_ok]
    said = [f"Not read completely: {', '.join(unread)}"] * bool(unread) + run.broken
    result: Literal["ok", "incomplete", "failed", "interrupted"] = "incomplete" if said else "ok"
    if run.failure:
        result, said = "failed", [run.failure]
    elif run.under_way:
        result, said = "interrupted", [f"{run.under_way} did not end"]
    return SyncRun(
        run_id=run_id,
        began_at=began_at,
        ended_at=datetime.now(UTC),
        result=result,
        said="; ".join(said),
        new=sum(change.new for change in run.changes.values()),
        changed=sum(change.changed + change.gone for change in run.changes.values()),
        snapshot_id=run.snapshot_id,
    )
