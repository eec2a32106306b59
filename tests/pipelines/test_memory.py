"""How much memory a refresh takes."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from pipelines import memory


def limit(connection: duckdb.DuckDBPyConnection) -> int:
    """Bytes that DuckDB may take, as far as it tells."""
    return int(
        connection.execute("select parse_formatted_bytes(current_setting('memory_limit'))").fetchall()[0][0]
    )


@pytest.fixture
def connection(tmp_path: Path) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(tmp_path / "warehouse.duckdb")
    connection.execute("create table hashes as select hash(range) as hash from range(2_000_000)")
    connection.execute("checkpoint")
    return connection


def test_it_goes_by_the_size_of_the_file(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "FEWEST_BYTES", 1 << 20)
    size = (tmp_path / "warehouse.duckdb").stat().st_size
    with memory.bounded(connection):
        assert limit(connection) == pytest.approx(size / 4, rel=0.1)


def test_a_small_file_is_no_reason_to_take_little(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("set memory_limit = '64 GiB'")
    with memory.bounded(connection):
        assert limit(connection) == 1 << 30


def test_it_is_never_more_than_there_may_be(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("set memory_limit = '50 MiB'")
    with memory.bounded(connection):
        assert limit(connection) == 50 << 20


def test_it_ends_with_what_it_is_for(connection: duckdb.DuckDBPyConnection) -> None:
    before = limit(connection)
    with pytest.raises(ZeroDivisionError), memory.bounded(connection):
        raise ZeroDivisionError
    assert limit(connection) == before
