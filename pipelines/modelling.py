"""SQL models: one table per file, its header first; run in dependency order in one process.

A file in `models/core` or `models/marts` holds one `select`. Its header, a YAML block
comment, documents the table; a run fails where header and table differ. A file with a
`metric` in its header yields figures of services and repositories; `models/metric.sql`
makes the metric's rows of them: levels above, empty periods, statuses.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Literal, NamedTuple

import duckdb
import sqlglot
import sqlglot.expressions
import yaml
from pydantic import BaseModel, ConfigDict

from pipelines import lineage, statistics

MODELS = Path(__file__).with_name("models")


class Column(BaseModel):
    """A documented column."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    type: str
    """DuckDB's name of the type, in lower case."""
    description: str
    """What it holds, with its unit."""
    nullable: bool = False
    accepted: tuple[str, ...] | None = None
    """Every value it may hold."""


class Metric(BaseModel):
    """What a metric's figures mean, and how they combine above a service."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    title: str
    unit: str
    definition: str
    better: Literal["higher", "lower"] | None = None
    estimate: Literal["median", "rate", "frequency", "count"]
    """Kind of figure. A median or a rate of fewer than 5 is `too_few`; without any data a
    frequency or a count is 0, the others null."""


class Header(BaseModel):
    """The block comment that a model begins with."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    description: str
    grain: str
    key: tuple[str, ...]
    columns: dict[str, Column]
    metric: Metric | None = None


@dataclass(frozen=True)
class Model:
    """One table: where it stands, what it says of itself, what it reads."""

    name: str
    """Schema and table, as in `core.deployment`."""
    header: Header
    sql: str
    reads: tuple[str, ...]
    """Tables it reads, models and others."""

    @property
    def schema(self) -> str:
        return self.name.partition(".")[0]

    @property
    def table(self) -> str:
        return self.name.partition(".")[2]


class Built(NamedTuple):
    """A table just built: its rows, and the constraints of its header that rows of it break."""

    model: Model
    rows: int
    broken: dict[str, int]


class ModelError(Exception):
    """A model whose file and table disagree."""


# Tables that Python builds between two models: what they read, and how.
_PYTHON: dict[str, tuple[tuple[str, ...], Callable[[duckdb.DuckDBPyConnection], object]]] = {
    "lineage.label": (("core.commit", "core.deployment"), lineage.update),
}


@cache
def models(folder: Path = MODELS) -> Mapping[str, Model]:
    """Every model by name, in an order in which each comes after what it reads."""
    found = {model.name: model for path in sorted(folder.glob("*/*.sql")) for model in [_parse(path)]}
    graph = {name: [*model.reads] for name, model in found.items()}
    graph |= {name: [*reads] for name, (reads, _) in _PYTHON.items()}
    return {name: found[name] for name in TopologicalSorter(graph).static_order() if name in found}


def model_dependencies(model: Model) -> tuple[str, ...]:
    """The models and `raw` tables behind a model, those behind Python's tables included."""
    direct = [name for read in model.reads for name in (_PYTHON[read][0] if read in _PYTHON else (read,))]
    return tuple(sorted({name for name in direct if name in models() or name.startswith("raw.")}))


def fingerprint(folder: Path = MODELS) -> str:
    """Hash of everything the models consist of."""
    digest = hashlib.sha256()
    for path in [
        *sorted(folder.rglob("*.sql")),
        Path(lineage.__file__),
        Path(statistics.__file__),
        Path(__file__),
    ]:
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def run(connection: duckdb.DuckDBPyConnection, folder: Path = MODELS) -> Iterator[Built]:
    """Build every table; yields each model with its number of rows and its checks.

    Runs within the caller's transaction. Raises `ModelError` where a header and its table differ.
    """
    statistics.register(connection)
    connection.execute((folder / "macros.sql").read_text())
    connection.execute("create schema if not exists core; create schema if not exists marts")
    built: set[str] = set()
    for model in models(folder).values():
        for read in model.reads:
            if read in _PYTHON and read not in built:
                _PYTHON[read][1](connection)
                built.add(read)
        try:
            if model.header.metric:
                _build_metric(connection, model, folder)
            else:
                connection.execute(f"create or replace table {model.name} as\n{model.sql}")
        except duckdb.Error as error:
            raise ModelError(f"{model.name}: {error}") from error
        _compare(connection, model)
        (rows,) = connection.execute(f"select count(*) from {model.name}").fetchall()[0]
        yield Built(model, rows, _check(connection, model))
    wanted = set(models(folder))
    for schema, table in connection.execute(
        "select table_schema, table_name from information_schema.tables"
        " where table_schema in ('core', 'marts')"
    ).fetchall():
        if f"{schema}.{table}" not in wanted:
            connection.execute(f'drop table {schema}."{table}"')


def _build_metric(connection: duckdb.DuckDBPyConnection, model: Model, folder: Path) -> None:
    metric = model.header.metric
    assert metric
    connection.execute(f"create or replace temp table figure as\n{model.sql}")
    for variable, value in metric.model_dump(include={"unit", "definition", "estimate"}).items():
        connection.execute(f"set variable {variable} = ?", [value])
    connection.execute("set variable metric = ?", [model.table])
    connection.execute(f"create or replace table {model.name} as\n{(folder / 'metric.sql').read_text()}")
    connection.execute("drop table figure")


def _compare(connection: duckdb.DuckDBPyConnection, model: Model) -> None:
    rows = connection.execute(f"describe {model.name}").fetchall()
    table = {name: kind.lower() for name, kind, *_ in rows}
    header = {name: column.type for name, column in model.header.columns.items()}
    if list(table.items()) != list(header.items()):
        raise ModelError(f"{model.name}: its header says {header}, the table is {table}")


def _check(connection: duckdb.DuckDBPyConnection, model: Model) -> dict[str, int]:
    """Constraint of the header → rows that break it; those that hold are left out."""
    columns = model.header.columns.items()
    accepted = {name: [*column.accepted] for name, column in columns if column.accepted}
    key = ", ".join(model.header.key)
    counts = {
        f"{key} is unique": f"count(*) - (select count(*) from (select distinct {key} from {model.name}))",
        **{
            f"{n} is not null": f'count(*) filter ("{n}" is null)'
            for n, column in columns
            if not column.nullable
        },
        **{f"{n} is accepted": f'count(*) filter (not list_contains(?, "{n}"))' for n in accepted},
    }
    sql = f"select {', '.join(counts.values())} from {model.name}"
    (row,) = connection.execute(sql, [*accepted.values()]).fetchall()
    return {constraint: rows for constraint, rows in zip(counts, row, strict=True) if rows}


def _parse(path: Path) -> Model:
    text = path.read_text()
    if not text.startswith("/*"):
        raise ModelError(f"{path.name}: a model begins with its header")
    comment, _, sql = text.removeprefix("/*").partition("*/")
    header = yaml.safe_load(comment)
    if header.get("columns") is None and "metric" in header:
        shared = yaml.safe_load(
            (path.parents[1] / "metric.sql").read_text().removeprefix("/*").partition("*/")[0]
        )
        header |= {"grain": shared["grain"], "key": shared["key"], "columns": shared["columns"]}
    queries = [sql, (path.parents[1] / "metric.sql").read_text()] if "metric" in header else [sql]
    reads = sorted({read for query in queries for read in _reads(query)})
    return Model(f"{path.parent.name}.{path.stem}", Header.model_validate(header), sql.strip(), tuple(reads))


def _reads(sql: str) -> Iterator[str]:
    for table in sqlglot.parse_one(sql, dialect="duckdb").find_all(sqlglot.expressions.Table):
        if table.db:
            yield f"{table.db}.{table.name}"
