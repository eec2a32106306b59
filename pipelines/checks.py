"""Checks of a table against the header of its model."""

from __future__ import annotations

from typing import NamedTuple

import duckdb
import numpy as np

from pipelines import adoption
from pipelines.model import FIGURE_KEY, FIGURES, FRESH, Model, ModelError

MOST_AT_ONCE = 1 << 24
"""Keys compared at once, in 256 MB of memory."""


class Built(NamedTuple):
    """A table just built: its rows, and the constraints of its header that rows of it break."""

    model: Model
    rows: int
    broken: dict[str, int]
    seconds: float = 0.0
    """How long it took, beside what else was built meanwhile."""


def checked(connection: duckdb.DuckDBPyConnection, model: Model, *, is_partial: bool = False) -> Built:
    """Count a table's rows and those that break its header; `is_partial`: only those in `FRESH` may.

    Raises `ModelError` where the columns differ.
    """
    columns = _columns(connection, model.name)
    header = {name: column.type for name, column in model.header.columns.items()}
    if list(columns.items()) != list(header.items()):
        raise ModelError(f"{model.name}: its header says {header}, the table is {columns}")
    metric = model.header.metric
    table, held = model.name, columns
    if metric:
        # What a view adds holds by construction.
        table = f"{FIGURES}.{model.table}"
        held = _columns(connection, table)
    key = model.header.key
    if metric:
        key = adoption.key(metric.estimate) if metric.area == "adoption" else FIGURE_KEY
    documented = {name: column for name, column in model.header.columns.items() if name in held}
    accepted = {name: [*column.accepted] for name, column in documented.items() if column.accepted}
    nulls = {
        f"{name} is not null": f'count(*) - count("{name}")'
        for name, column in documented.items()
        if not metric and not column.nullable
    }
    others = {f"{name} is accepted": f'count(*) filter (not list_contains(?, "{name}"))' for name in accepted}
    part = FRESH if is_partial else table
    # Each by itself: of nulls alone, the file's statistics tell.
    parts = [f"(select {', '.join(counts.values())} from {part})" for counts in (nulls, others) if counts]
    sql = f"from {', '.join([f'(select count(*) from {table})', *parts])}"
    ((rows, *wrong),) = connection.execute(sql, [*accepted.values()]).fetchall()
    broken = dict(zip([*nulls, *others], wrong, strict=True))
    if _are_alike(connection, f"hash({', '.join(key)})", part, rows):
        # Keys that differ may have one hash.
        ((broken[f"{', '.join(key)} is unique"],),) = connection.execute(
            f"select count(*) - count(distinct ({', '.join(key)}, 0)) from {part}"
        ).fetchall()
    return Built(model, rows, {name: number for name, number in broken.items() if number})


def _are_alike(connection: duckdb.DuckDBPyConnection, value: str, table: str, rows: int) -> bool:
    """Whether two rows have one value. NumPy sorts all in a tenth of the time that DuckDB groups them in."""
    parts = 1 + rows // MOST_AT_ONCE
    for part in range(parts):
        found = connection.execute(
            f"select value from (select {value} as value from {table}) where value % {parts} = {part}"
        )
        ordered = np.sort(found.to_arrow_table()["value"].to_numpy())
        if (ordered[1:] == ordered[:-1]).any():
            return True
    return False


def _columns(connection: duckdb.DuckDBPyConnection, table: str) -> dict[str, str]:
    """Column → type, in lower case."""
    return {name: kind.lower() for name, kind, *_ in connection.execute(f"describe {table}").fetchall()}
