"""What the last sync of each source came to: a small file that pages and `doctor` read.

It lives beside the published snapshot, since a sync with nothing new publishes nothing and
still makes the data fresher.
"""

from __future__ import annotations

import os
from datetime import datetime, timedelta

import psutil
from pydantic import BaseModel, ConfigDict, ValidationError

from pipelines.home import Home, write_atomically

STALE_AFTER = timedelta(hours=36)
"""Age of the last full read from which figures are called stale."""


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


class Status(_Model):
    """The file as a whole."""

    sources: dict[str, SourceStatus] = {}
    syncing: Syncing | None = None

    @property
    def syncing_since(self) -> datetime | None:
        """When the sync under way began; None without one, also after one was killed."""
        if self.syncing is None:
            return None
        try:
            began = psutil.Process(self.syncing.pid).create_time()
        except psutil.NoSuchProcess:
            return None
        # A process begun later only has the number of the one that was killed.
        return self.syncing.since if began <= self.syncing.since.timestamp() + 1 else None


def read(home: Home) -> Status:
    """The status on disk; an empty one before the first sync or where the file is damaged."""
    try:
        return Status.model_validate_json(home.status.read_bytes())
    except (FileNotFoundError, ValidationError):
        return Status()


def write(home: Home, status: Status) -> None:
    """Replace the status on disk; called only under the sync lock."""
    write_atomically(home.status, status.model_dump_json(indent=1).encode())


def begin(home: Home, now: datetime) -> None:
    """Say that this process is syncing."""
    write(home, read(home).model_copy(update={"syncing": Syncing(pid=os.getpid(), since=now)}))


def end(home: Home, configured: set[str]) -> None:
    """Say that no sync is under way, and forget sources no longer configured."""
    status = read(home)
    kept = {name: source for name, source in status.sources.items() if name in configured}
    write(home, Status(sources=kept))
