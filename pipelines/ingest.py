"""Load: one transaction merges what landed into `raw.*` and moves the cursors.

Killed before the commit, nothing has happened and the files are still there; killed after
it, the files are known as loaded and are only deleted.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
from pydantic import JsonValue

from connectors.records import KEYS
from pipelines import deltas, history, snapshots
from pipelines.landing import QUARANTINE, LandedFile, arrow_schema, landed

_BOOKKEEPING = """
create schema if not exists raw;
create table if not exists raw.cursor (
    source varchar, scope varchar, cursor json, primary key (source, scope));
create table if not exists raw.coverage (
    source varchar, scope varchar, covered_until timestamptz, primary key (source, scope));
create table if not exists raw.loaded_file (path varchar primary key);
create table if not exists raw.version (version bigint);
insert into raw.version select 0 where not exists (from raw.version);
"""

_KEYS = KEYS | {QUARANTINE: ("stream", "scope", "id")}


@dataclass
class Change:
    """What one load changed in one stream of one source, in records."""

    new: int = 0
    changed: int = 0
    gone: int = 0

    def __bool__(self) -> bool:
        return bool(self.new or self.changed or self.gone)


@dataclass(frozen=True)
class Read:
    """What reading one source came to, scope by scope."""

    covered: Mapping[str, datetime]
    """Scope → the moment up to which all of it has landed, UTC."""
    failed: Set[str] = frozenset()
    """Scopes, or configured entries, that could not be read."""
    retained: Set[str] = frozenset()
    """Scopes that the source no longer lists, and of which what is known stays."""
    is_complete: bool = True
    """Whether every scope was tried."""
    looked_for: Mapping[str, str] = field(default_factory=dict)
    """Scope, of those covered whose states were all seen → what was looked for."""


def prepare(connection: duckdb.DuckDBPyConnection) -> None:
    """Create `raw.*` where it is missing, from the record types."""
    connection.execute(_BOOKKEEPING)
    deltas.prepare(connection)
    for stream in _KEYS:
        columns = [f'"{field.name}" {_duckdb_type(field.type)}' for field in arrow_schema(stream)]
        extra = "" if stream == QUARANTINE else ", scope varchar"
        connection.execute(
            f'create table if not exists raw."{stream}" (source varchar{extra}, {", ".join(columns)})'
        )
        # A warehouse of an earlier version lacks the fields that its records had not.
        (held,) = connection.execute(f"select count(*) from pragma_table_info('raw.\"{stream}\"')").fetchall()
        if held[0] < len(columns) + (1 if stream == QUARANTINE else 2):
            for column in columns:
                connection.execute(f'alter table raw."{stream}" add column if not exists {column}')
            connection.execute(f'drop table if exists delta."{stream}"')
            deltas.forget(connection)
    history.prepare(connection)
    snapshots.prepare(connection)


def cursors(connection: duckdb.DuckDBPyConnection, source: str) -> dict[str, JsonValue]:
    """Scope → where to go on, as of the last load."""
    # Without parameters, for which DuckDB would import pandas: half a second that an idle sync can spare.
    rows = connection.execute("select source, scope, cursor from raw.cursor").fetchall()
    return {scope: json.loads(cursor) for of, scope, cursor in rows if of == source}


def forget_cursors(connection: duckdb.DuckDBPyConnection, source: str) -> None:
    """Make the next read of `source` start from the beginning, its quarantine empty."""
    connection.execute("delete from raw.cursor where source = ?", [source])
    connection.execute("delete from raw.quarantine where source = ?", [source])


def load(
    connection: duckdb.DuckDBPyConnection, folder: Path, reads: Mapping[str, Read]
) -> dict[tuple[str, str], Change]:
    """Merge every landed file; `reads` is by source. Returns (source, stream) → what changed.

    What was loaded of a scope that its source no longer has is removed.
    """
    prepare(connection)
    files = list(landed(folder))
    known = {path for (path,) in connection.execute("select path from raw.loaded_file").fetchall()}
    waiting = [file for file in files if _name(file, folder) not in known]
    changes: dict[tuple[str, str], Change] = {}
    scopes = _scopes(connection)
    further = _newly_covered(scopes, reads, is_news=bool(waiting))
    taken = snapshots.news(connection, reads, is_news=bool(waiting))
    removed = _removed(scopes, reads)
    if not files and not further and not removed and not taken:
        return changes
    connection.execute("begin")
    try:
        groups: dict[tuple[str, str], list[LandedFile]] = defaultdict(list)
        for file in waiting:
            groups[file.source, file.stream].append(file)
        for (source, stream), group in groups.items():
            # What could not be understood before and is read again, is, or is put aside again.
            connection.execute(
                "delete from raw.quarantine where source = ? and stream = ? and list_contains(?, scope)",
                [source, stream, [file.scope for file in group if file.is_whole]],
            )
        for (source, stream), group in groups.items():
            changes[source, stream] = _merge(connection, source, stream, group)
            if stream in history.STREAMS and changes[source, stream]:
                history.keep(connection, source, stream, group[-1].landed_at)
            if stream == snapshots.STREAM:
                whole = [file.scope for file in group if file.is_whole]
                snapshots.keep(connection, source, whole, reads.get(source), group[-1].landed_at)
        moved = {(f.source, f.scope): json.dumps(f.cursor) for f in waiting if f.cursor is not None}
        _put(connection, "raw.cursor", [(*scope, cursor) for scope, cursor in moved.items()])
        _put(connection, "raw.coverage", further)
        _put(connection, "raw.snapshot", taken)
        for source, scope in removed:
            for table in (*KEYS, QUARANTINE, "cursor", "coverage"):
                connection.execute(
                    f'delete from raw."{table}" where source = ? and scope = ?', [source, scope]
                )
            snapshots.end(connection, source, scope)
        for source in {source for source, _ in removed}:
            for stream in history.STREAMS:
                history.keep(connection, source, stream, datetime.now(UTC))
        if removed or any(changes.values()):
            connection.execute("update raw.version set version = version + 1")
            deltas.note_load(connection)
        if removed:
            # What rests on a scope that is gone is found by no row.
            deltas.forget(connection)
        connection.execute("truncate raw.loaded_file")
        _put(connection, "raw.loaded_file", [(_name(file, folder),) for file in files])
        connection.execute("commit")
    except BaseException:
        connection.execute("rollback")
        raise
    for file in files:
        file.path.unlink(missing_ok=True)
    return changes


def _put(connection: duckdb.DuckDBPyConnection, table: str, rows: Sequence[tuple[object, ...]]) -> None:
    """Insert rows or replace those of the same key, all at once."""
    if rows:
        columns = {str(number): column for number, column in enumerate(zip(*rows, strict=True))}
        connection.register("put", pa.table(columns))
        connection.execute(f"insert or replace into {table} from put")
        connection.unregister("put")


def _merge(
    connection: duckdb.DuckDBPyConnection, source: str, stream: str, files: list[LandedFile]
) -> Change:
    """Merge the files of one stream, oldest first: the last reading of a key wins."""
    last_whole = {file.scope: number for number, file in enumerate(files) if file.is_whole}
    kept = [(number, file) for number, file in enumerate(files) if number >= last_whole.get(file.scope, 0)]
    key = _KEYS[stream]
    names = [field.name for field in arrow_schema(stream)]
    has_scope = "scope" in names
    order, paths, scopes = zip(*((number, str(file.path), file.scope) for number, file in kept), strict=True)
    # By name, for an older file may lack a column or have them in another order.
    connection.register("arrived", pa.table({"_order": order, "filename": paths, "_scope": scopes}))
    reading = (
        f"select *{'' if has_scope else ', _scope as scope'} from arrived inner join"
        " read_parquet(?, union_by_name => true, filename => true) using (filename)"
    )
    columns = [*([] if has_scope else ["scope"]), *names]
    listed = ", ".join(f'"{name}"' for name in columns)
    by_key = ", ".join(f'"{name}"' for name in key)
    connection.execute(
        f"create or replace temp table incoming as select {listed} from ({reading})"
        f" qualify row_number() over (partition by {by_key} order by _order desc) = 1",
        [list(paths)],
    )
    connection.unregister("arrived")
    matches = " and ".join(f'old."{name}" {_equals(stream, name)} new."{name}"' for name in key)
    values = [name for name in columns if name not in key]
    differs = " or ".join(f'old."{name}" is distinct from new."{name}"' for name in values)
    assign = ", ".join(f'"{name}" = new."{name}"' for name in values)
    inserted = ", ".join(f'new."{name}"' for name in columns)
    is_noted = stream in KEYS and deltas.is_noted(connection)
    if is_noted:
        pair = f'raw."{stream}" as old inner join incoming as new on old.source = $1 and {matches}'
        deltas.note_gone(connection, stream, f"select old.* from {pair} where {differs}", [source])
        # Any other condition than that one equals another would be tried on every pair of rows.
        same = " and ".join(f'old."{name}" is not distinct from new."{name}"' for name in columns)
        deltas.note_come(
            connection,
            stream,
            f"select $1 as source, new.* from incoming as new"
            f' anti join (from raw."{stream}" where source = $1) as old on {same}',
            [source],
        )
    actions = connection.execute(
        f'merge into raw."{stream}" as old using incoming as new'
        f" on old.source = ? and {matches}"
        f" when matched and ({differs}) then update set {assign}"
        f" when not matched then insert (source, {listed}) values (?, {inserted})"
        " returning merge_action",
        [source, source],
    ).fetchall()
    gone = 0
    if last_whole:
        missing = (
            f'from raw."{stream}" as old where old.source = $1 and list_contains($2, old.scope)'
            f" and not exists (select 1 from incoming as new where {matches})"
        )
        if is_noted:
            deltas.note_gone(connection, stream, missing, [source, list(last_whole)])
        removed = connection.execute(f"delete {missing} returning 1", [source, list(last_whole)]).fetchall()
        gone = len(removed)
    connection.execute("drop table incoming")
    taken = [action for (action,) in actions]
    return Change(taken.count("INSERT"), taken.count("UPDATE"), gone)


def _scopes(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], int]:
    """(source, scope) → the quarter of an hour up to which it is covered, counted from 1970."""
    rows = connection.execute(
        "select source, scope, floor(epoch(covered_until) / 900)::bigint from raw.coverage"
    )
    return {(source, scope): quarter for source, scope, quarter in rows.fetchall()}


def _newly_covered(
    scopes: Mapping[tuple[str, str], int], reads: Mapping[str, Read], *, is_news: bool
) -> list[tuple[str, str, datetime]]:
    """What is covered further than known: without news by quarters of an hour, as local days begin on one."""
    return [
        (source, scope, at)
        for source, read in reads.items()
        for scope, at in read.covered.items()
        if is_news or int(at.timestamp() // 900) != scopes.get((source, scope))
    ]


def _removed(scopes: Iterable[tuple[str, str]], reads: Mapping[str, Read]) -> list[tuple[str, str]]:
    """Scopes that a source no longer has.

    None while an entry names nothing that is known: it may be a disk that is not mounted.
    """
    known = {source: {scope for of, scope in scopes if of == source} for source in reads}
    return [
        (source, scope)
        for source, read in reads.items()
        if read.is_complete and read.failed <= known[source]
        for scope in sorted(known[source] - read.covered.keys() - read.failed - read.retained)
    ]


def _equals(stream: str, column: str) -> str:
    """How two keys compare: a part of one may be unknown."""
    return "is not distinct from" if arrow_schema(stream).field(column).nullable else "="


def _name(file: LandedFile, folder: Path) -> str:
    return file.path.relative_to(folder).as_posix()


_DUCKDB: dict[pa.DataType, str] = {
    pa.string(): "varchar",
    pa.int64(): "bigint",
    pa.float64(): "double",
    pa.bool_(): "boolean",
    pa.timestamp("us", "UTC"): "timestamptz",
    pa.list_(pa.string()): "varchar[]",
}


def _duckdb_type(arrow: pa.DataType) -> str:
    return _DUCKDB[arrow]
