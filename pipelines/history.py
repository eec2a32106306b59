"""History of what tools only tell the present state of: who owns a service, where a repository is.

A version of a record holds from the reading that first found it so to the one that no longer
did. The versions of a source's first reading have an unknown beginning: they held before, too.
"""

from __future__ import annotations

from datetime import datetime

import duckdb

from connectors.records import KEYS

STREAMS = ("repository", "team", "membership", "service")
"""Streams whose versions are kept, `raw.<stream>` as `history.<stream>`."""


def prepare(connection: duckdb.DuckDBPyConnection) -> None:
    """Create `history.*` where it is missing: as `raw.*`, with `seen_from` and `seen_until` (UTC).

    `history.first_reading` says when a stream of a source was first read, before which nothing is known.
    """
    connection.execute("create schema if not exists history")
    for stream in STREAMS:
        connection.execute(
            f"create table if not exists history.{stream} as"
            f" select *, null::timestamptz as seen_from, null::timestamptz as seen_until"
            f" from raw.{stream} limit 0"
        )
        for name, kind, *_ in connection.execute(f"describe raw.{stream}").fetchall():
            connection.execute(f'alter table history.{stream} add column if not exists "{name}" {kind}')
    connection.execute(
        "create table if not exists history.first_reading"
        " (source varchar, stream varchar, read_at timestamptz, primary key (source, stream))"
    )


def keep(connection: duckdb.DuckDBPyConnection, source: str, stream: str, at: datetime) -> None:
    """Bring the versions of one stream in line with `raw.*`, as read `at`; within the caller's transaction.

    `seen_from` is null where the beginning is unknown, `seen_until` while the version holds.
    """
    same_key = " and ".join(f'r."{name}" is not distinct from v."{name}"' for name in KEYS[stream])
    columns = [name for name, *_ in connection.execute(f"describe raw.{stream}").fetchall()]
    same = " and ".join(f'r."{name}" is not distinct from v."{name}"' for name in columns)
    first = connection.execute(
        "insert or ignore into history.first_reading values (?, ?, ?) returning 1", [source, stream, at]
    ).fetchall()
    connection.execute(
        f"update history.{stream} as v set seen_until = $at"
        f" where source = $source and seen_until is null"
        f" and not exists (select 1 from raw.{stream} as r where {same})",
        {"source": source, "at": at},
    )
    connection.execute(
        f"insert into history.{stream} by name select r.*, $begins as seen_from from raw.{stream} as r"
        f" where r.source = $source and not exists (select 1 from history.{stream} as v"
        f" where v.seen_until is null and v.source = r.source and {same_key})",
        {"source": source, "begins": None if first else at},
    )
