"""Rows made in Python, into a table at once: one by one, each is a transaction of its own."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import pyarrow as pa


def insert(connection: duckdb.DuckDBPyConnection, table: str, rows: Sequence[tuple[object, ...]]) -> None:
    """Add `rows` to `table`, whose columns they have in order."""
    if rows:
        columns = {str(n): column for n, column in enumerate(zip(*rows, strict=True))}
        connection.register("incoming", pa.table(columns))
        connection.execute(f"insert into {table} from incoming")
        connection.unregister("incoming")
