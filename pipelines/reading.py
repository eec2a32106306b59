"""Land: read one source through its connector, write what it yields to landing, note the outcome."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime

import connectors
from connectors.connector import Batch, Context, Covered, Note, Problem, Quarantined, Retained, SourceError
from pipelines import ingest, status, warehouse
from pipelines.home import Home
from pipelines.landing import Landing
from pipelines.status import SourceNote, SourceProblem, SourceStatus
from pipelines.workspace import SourceConfig

Progress = Callable[[str, str, int], None]
"""Called with (source, stream, records landed so far)."""

_QUARANTINE_BATCH = 1000

log = logging.getLogger(__name__)


@dataclass
class SourceRead:
    """What reading one source came to."""

    source: str
    kind: str
    began_at: datetime
    streams: tuple[str, ...]
    seconds: dict[str, float] = field(default_factory=dict)
    """Stream → seconds until its last batch had landed."""
    landed: Counter[str] = field(default_factory=Counter)
    """Stream → records landed."""
    quarantined: Counter[str] = field(default_factory=Counter)
    """Stream → records put into quarantine."""
    covered: dict[str, datetime] = field(default_factory=dict)
    looked_for: dict[str, str] = field(default_factory=dict)
    """Scope → what was looked for where all states in it were seen."""
    problems: list[Problem] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    retained: set[str] = field(default_factory=set)
    """Scopes that the source lists no more and that stay all the same."""
    error: SourceError | None = None
    """Why nothing, or no more, of the source could be read."""

    def outcome(self) -> ingest.Read:
        """What the loader needs to know."""
        failed = {problem.scope for problem in self.problems}
        is_complete = self.error is None
        return ingest.Read(self.covered, failed, self.retained, is_complete, self.looked_for)

    @property
    def is_transient(self) -> bool:
        """Whether something failed that may succeed when tried again."""
        return bool(self.error and self.error.is_transient) or any(p.is_transient for p in self.problems)

    @property
    def is_ok(self) -> bool:
        return not self.problems and self.error is None


def read_source(home: Home, config: SourceConfig, *, is_full: bool, progress: Progress) -> SourceRead:
    """Land everything new in one source. Never raises for what the source does: see `SourceRead.error`."""
    began = time.monotonic()
    connector_type = connectors.connector_type(config.kind)
    streams = connector_type.streams_of(config.options)
    result = SourceRead(config.name, config.kind, datetime.now(UTC), streams)
    with warehouse.writing(home) as connection:
        ingest.prepare(connection)
        if is_full:
            ingest.forget_cursors(connection, config.name)
        cursors = ingest.cursors(connection, config.name)
    landing = Landing(home.landing, config.name)
    waiting: list[Quarantined] = []
    try:
        cache = home.mirrors / config.name
        cache.mkdir(mode=0o700, parents=True, exist_ok=True)
        context = Context(cache=cache, identity_key=home.identity_key())
        connector = connector_type(config.name, config.options, context)
        with closing(connector.read(cursors)) as items:  # type: ignore[type-var]
            for item in items:
                match item:
                    case Batch():
                        if waiting and item.cursor is not None:
                            # Its cursor goes past them.
                            _set_aside(landing, waiting, result)
                        misfits = landing.write_soon(item)
                        waiting += misfits
                        result.landed[item.stream] += len(item.records) - len(misfits)
                        result.seconds[item.stream] = time.monotonic() - began
                        progress(config.name, item.stream, result.landed[item.stream])
                    case Quarantined():
                        waiting.append(item)
                    case Covered():
                        result.covered[item.scope] = item.at
                        if item.looked_for is not None:
                            result.looked_for[item.scope] = item.looked_for
                    case Problem():
                        result.problems.append(item)
                    case Note():
                        result.notes.append(item)
                    case Retained():
                        result.retained.add(item.scope)
                        result.notes.append(Note(*item))
                if len(waiting) >= _QUARANTINE_BATCH:
                    _set_aside(landing, waiting, result)
    except SourceError as error:
        result.error = error
    except OSError as error:
        where = f": {error.filename}" if error.filename else ""
        result.error = SourceError(
            f"{error.strerror or error}{where}", "Look at the disk that holds CAIRN_HOME."
        )
    except Exception as error:
        # A fault in one connector must not keep the other sources from being synced.
        log.exception("Source %s failed", config.name)
        result.error = SourceError(
            f"{type(error).__name__} in the {config.kind} connector",
            "This is a fault in Cairn: please report it.",
        )
    _set_aside(landing, waiting, result)
    landing.settle()
    _note_outcome(home, result)
    return result


def _set_aside(landing: Landing, waiting: list[Quarantined], result: SourceRead) -> None:
    if waiting:
        landing.quarantine(waiting)
        result.quarantined.update(item.stream for item in waiting)
        waiting.clear()


def _note_outcome(home: Home, result: SourceRead) -> None:
    known = status.read(home)
    before = known.sources.get(result.source)
    error = result.error
    known.sources[result.source] = SourceStatus(
        kind=result.kind,
        attempted_at=result.began_at,
        succeeded_at=result.began_at if result.is_ok else before and before.succeeded_at,
        error=SourceProblem(scope=result.source, message=str(error), mend=error.mend) if error else None,
        problems=[SourceProblem(scope=p.scope, message=p.message, mend=p.mend) for p in result.problems],
        notes=[SourceNote(scope=n.scope, message=n.message) for n in result.notes],
    )
    status.write(home, known)
