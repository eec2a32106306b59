"""A rebuild of all marts, and a refresh after 1 % of new data, beside plain DuckDB.

Plain: every column of `raw.*` read, and every table the models made written once more, into another
file. Bars: the rebuild takes at most 3 times as long; the refresh at most 15 % of the rebuild. None begins
before what was written until then is on the disk. Of what takes less than the rebuild, the median of several
times counts, since the machine's pace changes meanwhile.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from statistics import median

import duckdb

from benchmarks import organisation, warehouses
from benchmarks.organisation import Size
from pipelines import refresh, warehouse
from pipelines.home import Home

REBUILD_BAR = 3.0
REFRESH_BAR = 0.15
_SLOWEST = 5
_TIMES = 3


def main(size: Size) -> bool:
    """Print the times; False where a bar is missed."""
    with warehouses.generated(size) as home:
        rebuild = _build("rebuild", home)
        plain = median(_seconds(lambda: _plain(home)) for _ in range(_TIMES))
        publish = _seconds(lambda: warehouses.keep(home, size))
        with warehouse.writing(home) as connection:
            organisation.grow(connection)
        new = median([*(_refresh_copy(home) for _ in range(_TIMES - 1)), _build("refresh", home)])
        again = _seconds(lambda: _publish(home))
    print(f"{'plain read and write':<44} {plain:8.1f} s")
    print(f"{'rebuild':<44} {rebuild:8.1f} s   {rebuild / plain:6.2f} × plain   (bar {REBUILD_BAR:.0f})")
    share = new / rebuild
    print(
        f"{'refresh after 1 % of new data':<44} {new:8.1f} s   {share:6.1%} of it   (bar {REFRESH_BAR:.0%})"
    )
    print(f"{'publishing, first and again':<44} {publish:8.1f} s {again:8.1f} s")
    return rebuild / plain <= REBUILD_BAR and share <= REFRESH_BAR


def _refresh_copy(home: Home) -> float:
    with warehouses.copied(home) as copy:
        return _build("refresh", copy)


def _build(what: str, home: Home) -> float:
    """Seconds of a build; prints the models that take longest."""
    taken: dict[str, float] = {}
    os.sync()
    with warehouse.writing(home) as connection:
        began = time.perf_counter()
        for built in refresh.build(connection, organisation.workspace()):
            assert not built.broken, (built.model.name, built.broken)
            taken[built.model.name] = built.seconds
    total = time.perf_counter() - began
    slowest = sorted(taken, key=lambda name: taken[name], reverse=True)[:_SLOWEST]
    print(
        f"({what} in {total:.1f} s: {', '.join(f'{name} {taken[name]:.1f}' for name in slowest)})", flush=True
    )
    return total


def _plain(home: Home) -> None:
    copy = home.root / "copy.duckdb"
    with duckdb.connect(home.warehouse) as connection:
        connection.execute(f"attach '{copy}' as copy")
        for schema, table in connection.execute(
            "select schema_name, table_name from duckdb_tables()"
            " where database_name = current_database() and schema_name <> 'bench' order by all"
        ).fetchall():
            if schema == "raw":
                connection.execute(f'select count(columns(*)) from raw."{table}"').fetchall()
            else:
                connection.execute(f"create schema if not exists copy.{schema}")
                connection.execute(f'create table copy.{schema}."{table}" as from {schema}."{table}"')
    copy.unlink()


def _publish(home: Home) -> None:
    with warehouse.writing(home) as connection:
        warehouse.publish(connection, home, refresh.built_fingerprint(connection) or "")


def _seconds(work: Callable[[], object]) -> float:
    os.sync()
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
