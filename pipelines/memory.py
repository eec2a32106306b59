"""How much memory a refresh of the models takes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

FEWEST_BYTES = 1 << 30


@contextmanager
def bounded(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """DuckDB takes a quarter of the warehouse's size, 1 GiB at the least, and never more than it would.

    A refresh reads most of the file, and each of its blocks few times. Memory that held another block
    before is there sooner than such as the system has to clear first.
    """
    ((bytes_, most),) = connection.execute(
        "select block_size * total_blocks, parse_formatted_bytes(memory_limit)"
        " from pragma_database_size() where database_name = current_database()"
    ).fetchall()
    connection.execute(f"set memory_limit = '{min(max(bytes_ // 4, FEWEST_BYTES), most)} B'")
    try:
        yield
    finally:
        connection.execute("reset memory_limit")
