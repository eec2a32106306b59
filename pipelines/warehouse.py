"""DuckDB: the warehouse, which one process at a time writes, and the snapshots that readers hold.

Nothing else opens a file read-write. A snapshot is a file of its own, named by
`published/CURRENT`; publishing writes a new file and replaces `CURRENT`, so readers never
see a part, and a reader that has one open keeps it.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from pipelines.home import Home, write_atomically

if TYPE_CHECKING:
    import pandas as pd

_KEPT_SNAPSHOTS = 2


Params = Sequence[object] | Mapping[str, object]
"""Of a query: by place or by name."""


class WarehouseError(Exception):
    """A file that cannot be used; `str()` says what to do."""


@contextmanager
def writing(home: Home) -> Iterator[duckdb.DuckDBPyConnection]:
    """The warehouse, open to write. Raises `WarehouseError` where it is damaged or of a newer version."""
    try:
        connection = duckdb.connect(home.warehouse)
    except duckdb.Error as error:
        raise WarehouseError(
            f"The warehouse {home.warehouse} cannot be opened: {_first_line(error)}."
            " Move it away and run `cairn sync --full`: everything in it is read again from the sources."
        ) from error
    try:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute("set enable_progress_bar = false")
        # Else every block is given back to the system, which clears each page of it for the next one.
        connection.execute("set block_allocator_memory = '50%'")
        yield connection
    finally:
        connection.close()


def publish(connection: duckdb.DuckDBPyConnection, home: Home, fingerprint: str) -> str:
    """Copy `marts` into a new snapshot and make it current; returns its id."""
    snapshot_id = f"{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}-{fingerprint[:12]}"
    path = home.published / f"{snapshot_id}.duckdb"
    temporary = path.with_suffix(".tmp")
    connection.execute(f"attach '{_quoted(temporary)}' as snapshot")
    try:
        connection.execute("create schema snapshot.figures; create schema snapshot.marts")
        for schema, table in connection.execute(
            "select schema_name, table_name from duckdb_tables()"
            " where database_name = current_database() and schema_name in ('figures', 'marts') order by all"
        ).fetchall():
            connection.execute(f'create table snapshot.{schema}."{table}" as from {schema}."{table}"')
        for (view,) in connection.execute(
            "select sql from duckdb_views()"
            " where database_name = current_database() and schema_name = 'marts' order by all"
        ).fetchall():
            connection.execute(view.replace("CREATE VIEW marts.", "CREATE VIEW snapshot.marts.", 1))
    finally:
        connection.execute("detach snapshot")
    with temporary.open("rb") as file:
        os.fsync(file.fileno())
    temporary.rename(path)
    write_atomically(home.published / "CURRENT", snapshot_id.encode())
    _link(home, path)
    _collect(home, snapshot_id)
    return snapshot_id


def current_id(home: Home) -> str | None:
    """Id of the current snapshot; None before the first is published."""
    try:
        return (home.published / "CURRENT").read_text().strip() or None
    except FileNotFoundError:
        return None


def current_fingerprint(home: Home) -> str | None:
    """The beginning of the fingerprint of the current snapshot; None where there is none that can be read."""
    snapshot_id = current_id(home)
    if snapshot_id is None:
        return None
    try:
        with duckdb.connect(home.published / f"{snapshot_id}.duckdb", read_only=True) as connection:
            connection.execute("from marts.workspace").fetchall()
    except duckdb.Error:
        return None
    return snapshot_id.rpartition("-")[2]


@dataclass(frozen=True)
class Snapshot:
    """One published snapshot, open to read. Threads may share it."""

    id: str
    _connection: duckdb.DuckDBPyConnection

    def frame(self, sql: str, params: Params = ()) -> pd.DataFrame:
        """Rows of a parameterised query as a pandas frame."""
        import pyarrow as pa

        table = self._connection.cursor().execute(sql, params).to_arrow_table()
        # By way of Arrow: DuckDB's own `df` takes up to three times as long for a few rows.
        fields = [
            field.with_type(pa.float64()) if pa.types.is_decimal(field.type) else field
            for field in table.schema
        ]
        frame: pd.DataFrame = table.cast(pa.schema(fields)).to_pandas(
            date_as_object=False, maps_as_pydicts="strict", use_threads=False
        )
        return frame

    def tuples(self, sql: str, params: Params = ()) -> list[tuple[Any, ...]]:
        """Rows of a parameterised query."""
        return self._connection.cursor().execute(sql, params).fetchall()

    def rows(self, sql: str, params: Params = ()) -> list[dict[str, Any]]:
        """Rows of a parameterised query as dictionaries."""
        cursor = self._connection.cursor().execute(sql, params)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


_open_snapshots: dict[Path, Snapshot] = {}
_open_lock = threading.Lock()


def published(home: Home) -> Snapshot | None:
    """The current snapshot; None before the first is published. Raises `WarehouseError` if it is unreadable.

    A process keeps the last one open, and lets it go once a newer one is current.
    """
    with _open_lock:
        # Between reading CURRENT and opening the file a newer one may be published and the file collected.
        for _ in range(3):
            snapshot_id = current_id(home)
            if snapshot_id is None:
                return None
            path = home.published / f"{snapshot_id}.duckdb"
            if (known := _open_snapshots.get(home.published)) and known.id == snapshot_id and path.exists():
                return known
            try:
                _open_snapshots[home.published] = _opened(path)
            except duckdb.Error as error:
                failure = error
                continue
            return _open_snapshots[home.published]
    raise WarehouseError(
        f"The published snapshot {path.name} cannot be read: {_first_line(failure)}."
        " Run `cairn sync`: it publishes a new one."
    )


def kept(home: Home, snapshot_id: str) -> Snapshot | None:
    """A snapshot by its id, the current one or one before it; None where it is gone."""
    current = published(home)
    if current and current.id == snapshot_id:
        return current
    # Looked for among what is there: an id may come from anybody.
    for path in home.published.glob("*.duckdb"):
        if path.stem == snapshot_id:
            with suppress(duckdb.Error):  # collected meanwhile
                return _opened(path)
    return None


def _opened(path: Path) -> Snapshot:
    connection = duckdb.connect(path, read_only=True)
    connection.execute("set TimeZone = 'UTC'; set enable_external_access = false")
    return Snapshot(path.stem, connection)


def _collect(home: Home, current: str) -> None:
    """Remove old snapshots; a reader that has one open keeps it until it closes it."""
    names = sorted(path.stem for path in home.published.glob("*.duckdb") if path.stem != current)
    for name in names[: -(_KEPT_SNAPSHOTS - 1)]:
        (home.published / f"{name}.duckdb").unlink(missing_ok=True)
    for leftover in home.published.glob("*.tmp*"):
        leftover.unlink(missing_ok=True)


def _link(home: Home, path: Path) -> None:
    """Let other tools find the snapshot under one name; DuckDB opens what a link leads to, and keeps that."""
    temporary = home.published / "link.tmp"
    with suppress(OSError):  # a file system may know no links
        temporary.unlink(missing_ok=True)
        temporary.symlink_to(path.relative_to(home.root))
        temporary.rename(home.current_snapshot)


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0].rstrip(".")
