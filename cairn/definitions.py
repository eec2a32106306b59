"""What `cairn up` has Dagster load: the pipeline, and what is told of its figures once they are new.

Here and not in `pipelines`, which knows nothing of reports: imports run one way (ADR 0026).
"""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg

from cairn import messages
from pipelines import workspace
from pipelines.home import Home
from pipelines.job import definitions
from pipelines.workspace import Workspace

MESSAGES = "messages"
EVERY_HOUR = "37 * * * *"
"""Half an hour after the sync; without anything new, nothing is run."""


@dg.definitions
def cairn() -> dg.Definitions:
    """Definitions for the workspace and home that the environment names."""
    path = workspace.find(None, os.environ) or Path.cwd()
    loaded, home = workspace.load(path, os.environ), Home.from_env()
    return dg.Definitions.merge(definitions(loaded, home), telling(loaded, home))


def telling(loaded: Workspace, home: Home) -> dg.Definitions:
    """The job that sends digest and alerts, and its schedule; nothing where nobody is to be told."""
    if not loaded.digest and not loaded.alerts:
        return dg.Definitions()

    @dg.op(description="Send the digest and the alerts that are due")
    def tell(context: dg.OpExecutionContext) -> None:
        if not messages.send(home, loaded, datetime.now(UTC), context.log.info):
            raise dg.Failure("Not everybody could be told: the log says whom, and why.")

    @dg.job(name=MESSAGES, executor_def=dg.in_process_executor)
    def job() -> None:
        tell()

    def is_due(_: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
        yield dg.RunRequest() if messages.is_due(home) else dg.SkipReason("Nothing is new.")

    schedule = dg.ScheduleDefinition(
        name="tell",
        job=job,
        cron_schedule=EVERY_HOUR,
        execution_timezone=loaded.timezone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        execution_fn=is_due,
    )
    return dg.Definitions(jobs=[job], schedules=[schedule])
