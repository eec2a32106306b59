"""Rows of a table made anew while other connections write."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import duckdb
import pytest

from pipelines import deltas, model, row_refresh
from pipelines.deltas import Deltas

MODEL = """/*
description: D
grain: one row
key: [a]
by: [a]
touched:
  raw.t: [a]
columns:
  a: {type: bigint, description: A}
  b: {type: varchar, description: B}
*/
select a, b
from raw.t
"""


def test_rows_that_a_checkpoint_moves_meanwhile_are_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "core").mkdir()
    path = tmp_path / "core" / "t.sql"
    path.write_text(MODEL)
    find_differing = deltas.find_differing

    def checkpoint_first(connection: duckdb.DuckDBPyConnection, old: str, new: str) -> bool:
        with connection.cursor() as other:
            other.execute("insert into raw.other values (1)")
            other.execute("checkpoint")
        return find_differing(connection, old, new)

    monkeypatch.setattr(row_refresh, "find_differing", checkpoint_first)
    with duckdb.connect(tmp_path / "file.duckdb") as connection:
        connection.execute(
            """
            create schema raw; create schema core;
            create table raw.version as select 1 as version;
            create table raw.other (a integer);
            create table raw.t as select range as a, 'new' as b from range(400_000, 600_000);
            create table core.t as select range as a, 'old' as b from range(600_000);
            checkpoint;
            delete from core.t where a < 400_000;
            create temp view touched as select 599_999 as a;
            """
        )
        with closing(Deltas(connection.cursor(), "settings", ["raw.version"])) as changes:
            row_refresh._replace_touched(connection, changes, model.parse(path, connection))
        rows = connection.execute("select a, b from core.t where a >= 599_998 order by a").fetchall()
        assert rows == [(599_998, "old"), (599_999, "new")]
        assert connection.execute("select count(*) from core.t").fetchall() == [(200_000,)]
