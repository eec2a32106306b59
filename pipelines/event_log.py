"""Dagster's log of events in SQLite, over connections that stay open.

A sync writes hundreds of events; Dagster makes an engine and opens the file anew for each.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property

from dagster._core.storage.event_log import ConsolidatedSqliteEventLogStorage
from sqlalchemy import Connection, Engine, create_engine


class EventLog(ConsolidatedSqliteEventLogStorage):
    """As Dagster's own; dagster.yaml names it."""

    @cached_property
    def _engine(self) -> Engine:
        return create_engine(self._conn_string, connect_args={"timeout": 60})

    @contextmanager
    def _connect(self) -> Iterator[Connection]:
        with self._engine.begin() as connection:
            yield connection

    def dispose(self) -> None:
        """Close the connections."""
        self._engine.dispose()
        super().dispose()  # type: ignore[no-untyped-call]
