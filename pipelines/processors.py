"""DuckDB's threads, shared by the connections that query at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import duckdb


@contextmanager
def shared(connection: duckdb.DuckDBPyConnection) -> Iterator[Callable[[int], None]]:
    """A function to tell how many connections are about to query at a time.

    DuckDB's `threads` count that of one connection. Each further one would be a thread more than there are
    processors, and what these take from each other costs more than they do.
    """
    with connection.cursor() as session:
        ((processors,),) = session.execute("select current_setting('threads')").fetchall()
        threads = processors

        def told(querying: int) -> None:
            nonlocal threads
            if (wanted := max(1, processors + 1 - querying)) != threads:
                session.execute(f"set threads = {wanted}")
                threads = wanted

        try:
            yield told
        finally:
            session.execute(f"set threads = {processors}")
