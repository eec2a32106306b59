"""Dagster's log of events in SQLite, over connections that stay open.

A sync writes a thousand events. Dagster makes an engine and opens the file anew for each part of one, and
for each look at which tables there are; at every asset it looks at the columns of theirs, too.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property

from dagster import EventLogEntry
from dagster._core.storage.event_log import ConsolidatedSqliteEventLogStorage
from sqlalchemy import Connection, Engine, create_engine, inspect


class EventLog(ConsolidatedSqliteEventLogStorage):
    """As Dagster's own; dagster.yaml names it."""

    @cached_property
    def _engine(self) -> Engine:
        return create_engine(self._conn_string, connect_args={"timeout": 60})

    @cached_property
    def _open(self) -> threading.local:
        return threading.local()

    @cached_property
    def _tables(self) -> frozenset[str]:
        return frozenset(inspect(self._engine).get_table_names())

    @cached_property
    def _asset_columns(self) -> frozenset[str]:
        return frozenset(column["name"] for column in inspect(self._engine).get_columns("asset_keys"))

    @contextmanager
    def _connect(self) -> Iterator[Connection]:
        """A transaction; within one of the same thread, that one."""
        if outer := getattr(self._open, "connection", None):
            yield outer
            return
        with self._engine.begin() as connection:
            self._open.connection = connection
            try:
                yield connection
            finally:
                self._open.connection = None

    def store_event(self, event: EventLogEntry) -> None:
        """Write an event and what follows from it at once."""
        with self._connect():
            super().store_event(event)

    def has_table(self, table_name: str) -> bool:
        """Whether the log has a table. What adds one is a command of its own, `dagster instance migrate`."""
        return table_name in self._tables

    def _has_asset_key_col_on_connection(self, _: Connection, column_name: str) -> bool:
        return column_name in self._asset_columns

    def dispose(self) -> None:
        """Close the connections."""
        self._engine.dispose()
        super().dispose()  # type: ignore[no-untyped-call]
