"""One table after the other, brought in line with what it is made of."""

from __future__ import annotations

import time
from collections.abc import Mapping, Set
from pathlib import Path

import duckdb

from pipelines import adoption, computed, row_refresh
from pipelines.checks import Built, checked
from pipelines.deltas import Deltas
from pipelines.metric_tables import MetricTables
from pipelines.model import FIGURES, Model, ModelError, adoption_queries


class Builder:
    """Builds tables on a connection of its own."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        changes: Deltas,
        known: Mapping[str, Model],
        reads: Mapping[str, tuple[str, ...]],
        idle: Set[str],
        folder: Path,
    ) -> None:
        """`reads` are the tables that decide what is in each table, `idle` tables without rows."""
        self._connection = connection
        self._changes = changes
        self._known = known
        self._reads = reads
        self._idle = idle
        self._read_by_others = {read for of in reads.values() for read in of}
        self._metrics = MetricTables(connection, changes, known, folder)

    def build(self, name: str) -> Built | None:
        """Build a table if it rests on something that changed; None for one that no model describes.

        Raises `ModelError` where the table cannot be made or is not what its header says.
        """
        began = time.perf_counter()
        built = self._build(name)
        return built._replace(seconds=time.perf_counter() - began) if built else None

    def _build(self, name: str) -> Built | None:
        changes, table = self._changes, self._known.get(name)
        words_of = table.words_of if table else lambda _: None
        if (
            changes.is_known
            and name not in changes.was_broken
            and not changes.of(self._reads[name], words_of)
        ):
            return Built(table, self._count(table), {}) if table else None
        if name in self._idle:
            changes.unknown(name)
            return self._left_empty(table) if table else None
        try:
            if not table:
                computed.build(self._connection, name, changes)
                return None
            is_partial = self._make(table)
        except duckdb.Error as error:
            raise ModelError(f"{name}: {error}") from error
        return checked(self._connection, table, is_partial=is_partial)

    def _make(self, table: Model) -> bool:
        """Returns whether only the rows in the temporary table `FRESH` are new."""
        metric = table.header.metric
        if metric and metric.area == "adoption":
            adoption.build(self._connection, table.table, table.sql, adoption_queries(table.table, metric))
            self._changes.unknown(table.name)
            return False
        if metric:
            return self._metrics.build(table)
        is_read = table.name in self._read_by_others
        return row_refresh.build(self._connection, self._changes, table, is_read=is_read)

    def _left_empty(self, table: Model) -> Built:
        columns = {each: column.type for each, column in table.header.columns.items()}
        is_metric = bool(table.header.metric)
        adoption.leave_empty(self._connection, table.name, columns, is_metric=is_metric)
        return Built(table, 0, {})

    def _count(self, table: Model) -> int:
        name = f"{FIGURES}.{table.table}" if table.header.metric else table.name
        ((rows,),) = self._connection.execute(f"select count(*) from {name}").fetchall()
        return int(rows)
