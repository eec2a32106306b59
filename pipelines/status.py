"""What the last syncs came to, of each source and as a whole: a small file that pages and `doctor` read.

It lives beside the published snapshot, since a sync with nothing new publishes nothing and
still makes the data fresher.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

import psutil
from pydantic import BaseModel, ConfigDict, ValidationError

from pipelines.home import Home, write_atomically

STALE_AFTER = timedelta(hours=36)
"""Age of the last full read from which figures are called stale."""
KEPT_RUNS = 30


class _Model(BaseModel):
    model_config = ConfigDict(extra="ignore")


class SourceProblem(_Model):
    """A source, or a part of one, that could not be read."""

    scope: str
    message: str
    mend: str


class SourceNote(_Model):
    """Something handled that a person may want to know."""

    scope: str
    message: str


class SourceStatus(_Model):
    """Outcome of the last read of one source."""

    kind: str
    attempted_at: datetime
    succeeded_at: datetime | None = None
    """Start of the last read in which every part of the source was read."""
    error: SourceProblem | None = None
    """Set while nothing of the source can be read."""
    problems: list[SourceProblem] = []
    notes: list[SourceNote] = []


class Syncing(_Model):
    """The sync under way."""

    pid: int
    since: datetime
    run_id: str = ""


class SyncRun(_Model):
    """A sync that is over."""

    run_id: str
    """Dagster's; empty where it is not known."""
    began_at: datetime
    ended_at: datetime | None
    """None where it was killed."""
    result: Literal["ok", "incomplete", "failed", "interrupted"]
    """`incomplete`: figures were published, and not everything was read, or a check of a model failed."""
    said: str = ""
    """Why it is not `ok`."""
    new: int = 0
    """Records that were not known before."""
    changed: int = 0
    """Records that changed or went."""
    snapshot_id: str | None = None
    """What it published; None where there was nothing new."""


class Status(_Model):
    """The file as a whole."""

    sources: dict[str, SourceStatus] = {}
    syncing: Syncing | None = None
    runs: Sequence[SyncRun] = ()
    """The last ones, the latest first."""

    @property
    def syncing_since(self) -> datetime | None:
        """When the sync under way began; None without one, also after one was killed."""
        if self.syncing is None:
            return None
        return self.syncing.since if is_running(self.syncing.pid, self.syncing.since) else None


def is_running(pid: int, since: datetime) -> bool:
    """Whether the process that had the number then is still there."""
    try:
        began = psutil.Process(pid).create_time()
    except psutil.NoSuchProcess:
        return False
    # A process begun later only has the number of the one that was killed.
    return began <= since.timestamp() + 1


def read(home: Home) -> Status:
    """The status on disk; an empty one before the first sync or where the file is damaged."""
    try:
        return Status.model_validate_json(home.status.read_bytes())
    except (FileNotFoundError, ValidationError):
        return Status()


def write(home: Home, status: Status) -> None:
    """Replace the status on disk; called only under the sync lock."""
    write_atomically(home.status, status.model_dump_json(indent=1).encode())


def begin(home: Home, now: datetime, run_id: str = "") -> None:
    """Say that this process is syncing, and note the sync before it where that was killed."""
    status = read(home)
    runs = [*status.runs]
    if killed := status.syncing:
        over = SyncRun(run_id=killed.run_id, began_at=killed.since, ended_at=None, result="interrupted")
        runs.insert(0, over)
    syncing = Syncing(pid=os.getpid(), since=now, run_id=run_id)
    write(home, status.model_copy(update={"syncing": syncing, "runs": runs[:KEPT_RUNS]}))


def end(home: Home, configured: set[str], run: SyncRun) -> None:
    """Say that no sync is under way and what this one came to, and forget sources no longer configured."""
    status = read(home)
    kept = {name: source for name, source in status.sources.items() if name in configured}
    write(home, Status(sources=kept, runs=[run, *status.runs][:KEPT_RUNS]))
