"""DuckDB's threads: as many as there are processors, those that ask it among them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import duckdb
import pytest

from pipelines import processors


def threads(connection: duckdb.DuckDBPyConnection) -> int:
    ((number,),) = connection.execute("select current_setting('threads')").fetchall()
    return int(number)


@pytest.mark.parametrize(("has", "beside_one", "beside_two"), [(1, 1, 1), (2, 2, 1), (8, 8, 7)])
def test_each_further_connection_has_one_of_the_threads(has: int, beside_one: int, beside_two: int) -> None:
    with duckdb.connect(config={"threads": has}) as connection:
        with processors.shared(connection) as querying:
            querying(2)
            assert threads(connection) == beside_two
            querying(1)
            assert threads(connection) == beside_one
            querying(2)
        assert threads(connection) == has


def test_a_query_goes_on_while_threads_come_and_go() -> None:
    rows = 100_000_000
    with (
        duckdb.connect(config={"threads": 4}) as connection,
        connection.cursor() as other,
        processors.shared(connection) as querying,
        ThreadPoolExecutor(1) as pool,
    ):
        sql = f"select count(*) from range({rows}) as r(i) where hash(i) % 2 < 2"
        found = pool.submit(lambda: other.execute(sql).fetchall())
        changes = 0
        while not found.done():
            changes += 1
            querying(1 + changes % 4)
        assert found.result() == [(rows,)]
        assert changes > 1
