"""Metrics of adoption: what a metric's file observes of services and teams, made into figures at every level.

A file yields either times for which something held of a service (estimates `…_as_of`), or things that
happened on a day. The queries in `models/adoption` place these at each level that the service was part of
then, and make figures of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from string import Template

import duckdb

FOLDER = Path(__file__).with_name("models") / "adoption"

# Which figure is a period's.
_HOLDS = {
    "_as_of": "p.as_of >= f.valid_from and p.as_of < f.valid_until",
    "": "f.grain = p.grain and f.period_start = p.period_start",
}


def queries(estimate: str, values: Mapping[str, str], *, is_placed: bool) -> dict[str, str]:
    """The metric's tables on the way to its rows, in order: `placed`, `figure`, its figures, its rows."""
    suffix = "_as_of" if estimate.endswith("_as_of") else ""
    files = {"placed": f"placed{suffix}", "figure": estimate, "figures": f"figures{suffix}", "rows": "metric"}
    made = {
        name: Template((FOLDER / f"{file}.sql").read_text()).substitute(values, holds=_HOLDS[suffix])
        for name, file in files.items()
    }
    if is_placed:
        made["placed"] = "from observation"
    elif estimate == "given":
        del made["placed"]
    return made | {"rows": made["rows"].rpartition("*/")[2]}


def key(estimate: str) -> tuple[str, ...]:
    """What identifies a figure."""
    when = ("valid_from",) if estimate.endswith("_as_of") else ("grain", "period_start")
    return ("offer", "level", "key", *when)


def build(
    connection: duckdb.DuckDBPyConnection, name: str, observation: str, made: Mapping[str, str]
) -> None:
    """Build `figures.<name>` and the view `marts.<name>` upon it."""
    connection.execute(f"create or replace temp view observation as\n{observation}")
    if "placed" in made:
        connection.execute(f"create or replace temp view placed as\n{made['placed']}")
    connection.execute(f"create or replace temp table figure as\n{made['figure']}")
    connection.execute(f"create or replace table figures.{name} as\n{made['figures']}")
    connection.execute(f"create or replace view marts.{name} as\n{made['rows']}")
    connection.execute("drop table figure; drop view if exists placed; drop view observation")


def leave_empty(
    connection: duckdb.DuckDBPyConnection, name: str, columns: Mapping[str, str], *, is_metric: bool
) -> None:
    """Make the table, or the metric's view and its figures, without a row; `columns` are name → type."""
    if not is_metric:
        listed = ", ".join(f'"{column}" {kind}' for column, kind in columns.items())
        connection.execute(f"create or replace table {name} ({listed})")
        return
    listed = ", ".join(f'null::{kind} as "{column}"' for column, kind in columns.items())
    connection.execute(f"create or replace table figures.{name.partition('.')[2]} (offer varchar)")
    connection.execute(f"create or replace view {name} as select {listed} limit 0")
