"""What has changed since the last build, row by row.

A load notes which rows of `raw.*` went and which came (`delta.*`); a build notes the same of every table
that it makes, for those made of it. Of other tables, as settings and histories, a digest tells whether they
changed at all. What is not known to have changed stays as it was built. Nothing is known before the first
build, with other settings, or where a build was cut short: then all is made anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence, Set
from threading import RLock
from typing import Literal

import duckdb

from connectors.records import KEYS

_SCHEMA = """
create schema if not exists delta;
create table if not exists delta.load (version bigint);
create schema if not exists built;
create table if not exists built.build (settings varchar, version bigint);
create table if not exists built.source (name varchar, rows bigint, hashes hugeint);
create table if not exists built.broken (name varchar);
"""
# Every load since that build is noted.
_IS_KNOWN = """
    select 1
    from built.build as b, raw.version as r
    where b.settings = ?
        and r.version - b.version = (select count(*) from delta.load where version > b.version)
"""

_NOTED = "noted"
"""Database in memory, which all connections see: how tables that were made changed."""
DIFFERING = "differing"
"""Temporary table with the rows that `find_differing` found to have gone and come."""
KEPT = 2_000_000
"""Changed rows of a table up to which they are found once for all that read them."""

WordsOf = Callable[[str], Set[str] | None]
"""Table → words among which are the columns that are read of it; None for all."""


def prepare(connection: duckdb.DuckDBPyConnection) -> None:
    """Create what changes are noted in, where it is missing."""
    connection.execute(_SCHEMA)


def forget(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the next build a whole one."""
    connection.execute("truncate built.build")


def is_noted(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether there is a build that changes can be told from."""
    return bool(connection.execute("from built.build").fetchall())


def note_gone(
    connection: duckdb.DuckDBPyConnection, stream: str, rows: str, parameters: Sequence[object]
) -> None:
    """Note rows that are about to leave `raw.<stream>`, or to become others: what the query `rows` yields."""
    _note(connection, stream, rows, parameters, is_new=False)


def note_come(
    connection: duckdb.DuckDBPyConnection, stream: str, rows: str, parameters: Sequence[object]
) -> None:
    """Note rows that are about to be in `raw.<stream>`."""
    _note(connection, stream, rows, parameters, is_new=True)


def _note(
    connection: duckdb.DuckDBPyConnection,
    stream: str,
    rows: str,
    parameters: Sequence[object],
    *,
    is_new: bool,
) -> None:
    connection.execute(
        f'create table if not exists delta."{stream}" as'
        f' select *, null::boolean as is_new from raw."{stream}" limit 0'
    )
    connection.execute(
        f'insert into delta."{stream}" by name select *, {str(is_new).lower()} as is_new from ({rows})',
        parameters,
    )


def note_load(connection: duckdb.DuckDBPyConnection) -> None:
    """Note that all that the load to this version of `raw.*` changed is noted."""
    connection.execute("insert into delta.load from raw.version")


class Deltas:
    """What has changed since the last build; what is made in this one is told of as it is made.

    Threads may share it, but not its connection.
    """

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, settings: str | None, sources: Iterable[str]
    ) -> None:
        """`settings` say what shapes the tables beside the data, None that nothing is known or kept.
        `sources` are the tables read that no model makes. Until `keep`, nothing counts as built."""
        self._connection = connection
        self._lock = RLock()
        self._settings = settings
        self._rows: dict[str, str] = {}
        self._unknown: set[str] = set()
        self._columns: dict[str, list[str]] = {}
        self._found: dict[str, str] = {}
        """Query for changed rows → a shorter one for the same: several models read them."""
        self._any: dict[str, bool] = {}
        """Query for changed rows → whether there are any."""
        self.was_broken: Set[str] = frozenset()
        """Models whose tables broke their headers: never left as they are."""
        self.is_known = False
        """Whether anything was built that can stay."""
        if settings is None:
            return
        connection.execute(f"{_SCHEMA}; detach database if exists {_NOTED}; attach ':memory:' as {_NOTED}")
        self.is_known = bool(connection.execute(_IS_KNOWN, [settings]).fetchall())
        connection.execute("truncate built.build")
        digests = " union all ".join(
            f"select '{name}' as name, count(*) as rows,"
            f" sum({row_hash(connection, name, 't')})::hugeint as hashes from {name} as t"
            for name in sorted({*sources} - {f"raw.{stream}" for stream in KEYS})
        )
        connection.execute(f"create or replace temp table source_digest as {digests}")
        if self.is_known:
            noted = connection.execute(
                "select table_name from duckdb_tables() where schema_name = 'delta' and table_name <> 'load'"
            ).fetchall()
            self._rows = {f"raw.{stream}": f"delta.{stream}" for (stream,) in noted}
            differing = connection.execute(
                "select n.name from source_digest as n left join built.source as w using (name)"
                " where (n.rows, n.hashes) is distinct from (w.rows, w.hashes)"
            ).fetchall()
            self._unknown = {name for (name,) in differing}
            self.was_broken = {name for (name,) in connection.execute("from built.broken").fetchall()}

    def of(self, names: Iterable[str], words_of: WordsOf = lambda _: None) -> list[str]:
        """Those of the tables that have changed, or may have, as far as these words tell; see `rows`."""
        return [name for name in names if not self.is_known or self._has_changed(name, words_of(name))]

    def _has_changed(self, name: str, words: Set[str] | None) -> bool:
        rows = self.rows(name, words)
        if rows is None:
            return name in self._unknown
        with self._lock:
            if rows not in self._any:
                self._any[rows] = bool(self._connection.execute(f"{rows} limit 1").fetchall())
            return self._any[rows]

    def rows(
        self, name: str, words: Set[str] | None = None, *, only: Literal["gone", "come"] | None = None
    ) -> str | None:
        """A query for the rows of a changed table that went or came, or `only` for one of these, as far as
        its columns among `words` (None for all) tell them apart; some may be in it twice. None where that is
        not known."""
        if name not in self._rows or name in self._unknown:
            return None
        relation = self._rows[name]
        with self._lock:
            if relation not in self._columns:
                described = self._connection.execute(f"describe {relation}").fetchall()
                self._columns[relation] = [column for column, *_ in described if column != "is_new"]
            held = self._columns[relation]
            read = [column for column in held if words is None or column in words] or held
            listed = ", ".join(f'"{column}"' for column in read)
            is_other = {"gone": "< 0", "come": "> 0", None: "<> 0"}[only]
            rows = f"select {listed} from {relation} group by all having sum(if(is_new, 1, -1)) {is_other}"
            if rows not in self._found:
                self._found[rows] = self._shortened(rows, relation, read, only)
            return self._found[rows]

    def come_alone(self, name: str, words: Set[str] | None) -> str | None:
        """A query for the rows that came to a changed table, each once; None where some went, as far as these
        words tell, or where that is not known."""
        gone = self.rows(name, words, only="gone")
        with self._lock:
            if gone is None or self._connection.execute(f"{gone} limit 1").fetchall():
                return None
        return self.rows(name, words, only="come")

    def _shortened(
        self, rows: str, relation: str, read: Sequence[str], only: Literal["gone", "come"] | None
    ) -> str:
        ((size, gone),) = self._connection.execute(
            f"select count(*), count(*) filter (not is_new) from {relation}"
        ).fetchall()
        listed = ", ".join(f'"{column}"' for column in read)
        if gone == 0 and only == "gone":
            return f"select {listed} from {relation} where false"
        if gone in (0, size) and not only:
            # Nothing that came can be what went.
            return f"select {listed} from {relation} where is_any(is_new)"
        if size > KEPT:
            return rows
        changed = f"{_NOTED}.changed_{len(self._found)}"
        self._connection.execute(f"create table {changed} as {rows}")
        return f'select * from {changed} where is_any("{read[0]}")'

    def told(self, connection: duckdb.DuckDBPyConnection, name: str, relation: str) -> bool:
        """`relation` has the rows of a table that went and came (`is_new`); False where it has none."""
        noted = f'{_NOTED}."{name}"'
        ((rows,),) = connection.execute(f"create table {noted} as from {relation}").fetchall()
        if rows:
            self._rows[name] = noted
        return bool(rows)

    def unknown(self, name: str) -> None:
        """The table was made anew, whatever it was."""
        self._unknown.add(name)

    def compare(self, connection: duckdb.DuckDBPyConnection, name: str, old: str, new: str) -> bool:
        """Note how the table `name` becomes what `new` holds, having been what `old` does, by the hashes of
        rows, which are in `DIFFERING` then; False where it stays."""
        find_differing(connection, old, new)
        return self.told(connection, name, DIFFERING)

    def keep(self, broken: Iterable[str]) -> None:
        """All is built: the next build begins from here. `broken` are models that break their headers."""
        if self._settings is None:
            return
        self._connection.execute("begin")
        self._connection.execute(
            "drop schema delta cascade; truncate built.broken;"
            "create or replace table built.source as from source_digest;"
        )
        self._connection.execute(_SCHEMA)
        for name in broken:
            self._connection.execute("insert into built.broken values (?)", [name])
        self._connection.execute(
            "insert into built.build select ?, version from raw.version", [self._settings]
        )
        self._connection.execute("commit")

    def close(self) -> None:
        """Forget what was noted of this build."""
        if self._settings is not None:
            self._connection.execute(f"detach {_NOTED}")
        self._connection.close()


def row_hash(connection: duckdb.DuckDBPyConnection, relation: str, row: str) -> str:
    """An expression for the hash of `row`, an alias of `relation`. By itself DuckDB's tells no list without
    elements, none at all, and one of a null apart."""
    described = connection.execute(f"describe from {relation}").fetchall()
    lengths = [f'len({row}."{column}")' for column, type_, *_ in described if type_.endswith("[]")]
    return f"hash({', '.join([row, *lengths])})"


def find_differing(connection: duckdb.DuckDBPyConnection, old: str, new: str) -> bool:
    """Put the rows of `old` that `new` lacks, and those that it has instead (`is_new`), into `DIFFERING`;
    False where there are none."""
    hashed = row_hash(connection, new, "t")
    ((rows,),) = connection.execute(
        f"create or replace temp table {DIFFERING} as"
        f" select *, true as is_new from {new} as t"
        f" anti join (select {hashed} as h from {old} as t) as o on o.h = {hashed}"
        f" union all"
        f" select *, false from {old} as t"
        f" anti join (select {hashed} as h from {new} as t) as n on n.h = {hashed}"
    ).fetchall()
    return bool(rows)
