"""A model's table made anew: the rows that changes touch alone, where its header says how to find them.

Both ways run the same query. What a refresh leaves out of it, by lines that begin with `-- refresh:`, is
what is read for other rows; those that come of it all the same are dropped. What is `not materialized` is in
a refresh, where it is little and read from much.
"""

from __future__ import annotations

import duckdb

from pipelines.deltas import DIFFERING, Deltas, find_differing, row_hash
from pipelines.model import FRESH, Model

MOST = 0.2
"""Share of a table's rows from which on making them all anew takes no longer."""
_IN_A_REFRESH = "-- refresh: "


def build(connection: duckdb.DuckDBPyConnection, changes: Deltas, model: Model, *, is_read: bool) -> bool:
    """Bring the table in line with what it is made of, and note how it changed if it `is_read` by others.

    Returns whether only the rows in the temporary table `FRESH` may break the model's header.
    """
    name = model.name
    if changes.is_known and (come := _come_alone(changes, model)):
        _add(connection, changes, model, come)
        return {*model.header.by} <= {*model.header.key}
    if changes.is_known and _find_touched(connection, changes, model):
        _replace_touched(connection, changes, model)
        return {*model.header.by} <= {*model.header.key}
    if not changes.is_known or not is_read or name in changes.was_broken:
        connection.execute(f"create or replace table {name} as\n{model.sql}")
        changes.unknown(name)
        return False
    connection.execute(f"create or replace temp table made as\n{model.sql}")
    if changes.compare(connection, name, name, "made"):
        _replace_differing(connection, name)
    connection.execute("drop table made")
    return False


def _replace_differing(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    """Make the table what `made` is: to write all takes longer than to make it."""
    ((new, gone),) = connection.execute(
        f"select count(*) filter (is_new), count(*) filter (not is_new) from {DIFFERING}"
    ).fetchall()
    ((rows, made),) = connection.execute(
        f"select (select count(*) from {name}), (select count(*) from made)"
    ).fetchall()
    # Equal rows, which break the header, have one hash.
    if new > MOST * rows or rows - gone + new != made:
        connection.execute(f"create or replace table {name} as from made")
        return
    hashed = row_hash(connection, name, "t")
    connection.execute("begin")
    connection.execute(
        f"delete from {name} as t where {hashed} in"
        f" (select {hashed} from (select * exclude (is_new) from {DIFFERING} where not is_new) as t)"
    )
    connection.execute(f"insert into {name} select * exclude (is_new) from {DIFFERING} where is_new")
    connection.execute("commit")


def _changed(changes: Deltas, model: Model) -> list[str]:
    needs = [model.header.needs] if model.header.needs else []
    return changes.of([*model.reads, *needs], model.words_of)


def _come_alone(changes: Deltas, model: Model) -> str | None:
    """A query for the rows that came to the table each of whose rows makes its own, where that is all."""
    each = model.header.each
    if not each or model.name in changes.was_broken or _changed(changes, model) != [each]:
        return None
    return changes.come_alone(each, model.words_of(each))


def _add(connection: duckdb.DuckDBPyConnection, changes: Deltas, model: Model, come: str) -> None:
    """Add what is made of rows that came: there is nothing to be found and compared."""
    query = model.sql.replace(str(model.header.each), f"({come})", 1)
    connection.execute(f"create or replace temp table {FRESH} as\n{query}")
    connection.execute(f"insert into {model.name} from {FRESH}")
    changes.told(connection, model.name, f"(select *, true as is_new from {FRESH})")


def _find_touched(connection: duckdb.DuckDBPyConnection, changes: Deltas, model: Model) -> bool:
    """Make the temporary view `touched`; False where all rows are to be made anew."""
    by, is_onwards, rules = model.header.by, model.header.onwards, []
    if not by or model.name in changes.was_broken:
        return False
    for read in _changed(changes, model):
        rule = model.header.touched.get(read)
        changed = changes.rows(read, model.words_of(read))
        if rule is None or changed is None:
            return False
        query = rule if isinstance(rule, str) else f"select {', '.join(rule)} from changed"
        rules.append(f"from (with changed as not materialized ({changed}) from ({query}))")
    values = f"min({by[0]}) as {by[0]}" if is_onwards else "distinct *"
    connection.execute(
        f"create or replace temp table touched_value as select {values} from ({' union all '.join(rules)})"
        f" as found ({', '.join(by)})"
    )
    connection.execute(f"create or replace temp view touched as from touched_value where is_any({by[0]})")
    of_touched = f"{model.name} where {by[0]} >= (from touched)" if is_onwards else "touched_value"
    ((touched, rows),) = connection.execute(
        f"select (select count(*) from {of_touched}), (select count(*) from {model.name})"
    ).fetchall()
    return bool(touched <= MOST * rows)


def _replace_touched(connection: duckdb.DuckDBPyConnection, changes: Deltas, model: Model) -> None:
    name, first, by = model.name, model.header.by[0], ", ".join(model.header.by)
    with_keys = f"{name} where {first} in (select {first} from touched)"
    are_touched = f"semi join touched using ({by})"
    if model.header.onwards:
        with_keys, are_touched = name, f"where {first} >= (from touched)"
    query = model.sql.replace(_IN_A_REFRESH, "").replace(" as not materialized (", " as materialized (")
    connection.execute(f"create or replace temp table {FRESH} as from (\n{query}\n) {are_touched}")
    # Until the end of it no other connection's checkpoint moves rows.
    connection.execute("begin")
    # To find the rows takes their keys alone, to have them not all of the table.
    connection.execute(
        f"create or replace temp table stale as select rowid as row_id, * from {name}"
        f" where rowid in (select rowid from (select rowid, {by} from {with_keys}) {are_touched})"
    )
    if find_differing(connection, "(select * exclude (row_id) from stale)", FRESH):
        differing = f"(select distinct {by} from {DIFFERING}) using ({by})"
        connection.execute(
            f"delete from {name} where rowid in (select row_id from stale semi join {differing})"
        )
        connection.execute(f"insert into {name} from {FRESH} semi join {differing}")
    connection.execute("commit")
    changes.told(connection, name, DIFFERING)
