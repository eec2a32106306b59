"""Checks of a table against the header of its model."""

from __future__ import annotations

from typing import NamedTuple

import duckdb

from pipelines import adoption
from pipelines.model import FIGURE_KEY, FIGURES, FRESH, Model, ModelError


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
    hashed = f"(select count(*) - count(distinct hash({', '.join(key)})) from {part})"
    sql = f"from (select count(*) from {table}), {', '.join([hashed, *parts])}"
    ((rows, alike, *wrong),) = connection.execute(sql, [*accepted.values()]).fetchall()
    broken = dict(zip([*nulls, *others], wrong, strict=True))
    if alike:
        # Keys that differ may have one hash; to count these takes half the time.
        ((broken[f"{', '.join(key)} is unique"],),) = connection.execute(
            f"select count(*) - count(distinct ({', '.join(key)}, 0)) from {part}"
        ).fetchall()
    return Built(model, rows, {name: number for name, number in broken.items() if number})


def _columns(connection: duckdb.DuckDBPyConnection, table: str) -> dict[str, str]:
    """Column → type, in lower case."""
    return {name: kind.lower() for name, kind, *_ in connection.execute(f"describe {table}").fetchall()}
