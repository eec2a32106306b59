"""What has changed since the last build, by local day, in the tables that figures are made of.

Figures of a period in which nothing changed are what they were, and stay. A model's header names the
`day` on which a row counts. What is kept of the last build is a digest of the rows of each day; where a
table has no `day`, one of all its rows, and when it changes, everything that rests on it is made anew.
"""

from __future__ import annotations

from collections.abc import Iterable

import duckdb

_SCHEMA = """
create schema if not exists built;
create table if not exists built.state (settings varchar);
create table if not exists built.digest (name varchar, day date, rows bigint, hashes hugeint);
create or replace temp table digest as from built.digest limit 0;
create or replace temp table stale_day (name varchar, day date);
"""
# A week counts in the periods that its Monday falls in.
_STALE = """
    create or replace temp table stale_period as
    with stale as (
        select unnest([day, date_trunc('week', day)::date]) as day from stale_day where list_contains(?, name)
    )

    select distinct
        grain, period_start(grain, day) as period_start,
        period_id(grain, period_start(grain, day)) as period_id
    from (select day, unnest(grains()) as grain from stale where day is not null)
"""


def reset(connection: duckdb.DuckDBPyConnection) -> None:
    """Forget what was built, so that all is built anew."""
    connection.execute(_SCHEMA)
    connection.execute("truncate built.state")


def begin(connection: duckdb.DuckDBPyConnection, settings: str) -> bool:
    """Whether all that was built with these settings is there; until `keep`, nothing counts as built."""
    connection.execute(_SCHEMA)
    is_known = connection.execute("from built.state").fetchall() == [(settings,)]
    connection.execute("truncate built.state")
    return is_known


def take(connection: duckdb.DuckDBPyConnection, name: str, day: str | None) -> None:
    """Note which days of the table `name`, just built, are not what they were."""
    connection.execute(
        f"insert into digest select ?, {day or 'null'}, count(*), sum(hash(t)) from {name} as t group by all",
        [name],
    )
    connection.execute(
        """
        insert into stale_day
        select $name, coalesce(now.day, was.day)
        from (from digest where name = $name) as now
        full join (from built.digest where name = $name) as was on was.day is not distinct from now.day
        where (now.rows, now.hashes) is distinct from (was.rows, was.hashes)
        """,
        {"name": name},
    )


def find_stale(connection: duckdb.DuckDBPyConnection, names: Iterable[str], undated: Iterable[str]) -> bool:
    """Fill the temporary table `stale_period` with the periods in which rows of any of the tables count that
    have changed; False where one of those without a day has."""
    connection.execute(_STALE, [[*names]])
    changed = connection.execute("select 1 from stale_day where list_contains(?, name) limit 1", [[*undated]])
    return not changed.fetchall()


def keep(connection: duckdb.DuckDBPyConnection, settings: str) -> None:
    """Keep the digests taken, for the next build."""
    connection.execute("begin")
    connection.execute("create or replace table built.digest as from digest")
    connection.execute("insert into built.state values (?)", [settings])
    connection.execute("commit")
