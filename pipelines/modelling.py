"""SQL models: one table per file, its header first; run in dependency order in one process.

A file in `models/core` or `models/marts` holds one `select`. Its header, a YAML block
comment, documents the table; a run fails where header and table differ. A file with a
`metric` in its header yields observations of services and repositories. The file of its
estimate in `models/estimates` makes figures of them, and `models/figures.sql` those of the
levels above: the table `figures.<metric>`, which holds no empty periods. `models/metric.sql`
is the view `marts.<metric>` upon it: every period, with its status.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from string import Template
from typing import Any, Literal, NamedTuple

import duckdb
import yaml
from pydantic import BaseModel, ConfigDict

from pipelines import (
    adoption,
    change_points,
    digests,
    first_deployment,
    forecast,
    inserting,
    lineage,
    migration_forecast,
    statistics,
    working_time,
)

MODELS = Path(__file__).with_name("models")

FIGURES = "figures"
"""Schema of the figures that the metrics' views rest on."""


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
    area: Literal["delivery", "adoption"] = "delivery"
    """Of adoption, figures are of capabilities too, and their queries are in `models/adoption`."""
    estimate: Literal[
        "median", "p90", "clustered_median", "rate", "survival", "frequency", "count", "given",
        "rate_as_of", "median_as_of", "median_rate", "quick_ratio",
    ]  # fmt: skip
    """Kind of figure, a file of `models/estimates`. A frequency, a count and what is `given` are
    censuses; others of fewer than 5 are `too_few`. Without any deployment in a period a frequency or a
    count is 0, the others null."""
    coverage: Literal["delivery", "failure", "ci"] = "delivery"
    """What must have been read for a period to be complete: a column of `core.subject_coverage`."""
    matures: int = 0
    """Days after its end from which a period has a figure of adoption."""
    is_placed: bool = False
    """What is observed of adoption is of all levels already, not of services alone."""


class Header(BaseModel):
    """The block comment that a model begins with."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    description: str
    grain: str
    key: tuple[str, ...]
    columns: dict[str, Column]
    metric: Metric | None = None
    day: str | None = None
    """Column with the local day on which a row counts in figures; null where it does in none."""
    needs: str | None = None
    """Table without whose rows there are none of this one: it is then left empty without a query."""


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
    "lineage.label": (("core.commit", "core.line"), lineage.label),
    "lineage.ancestor": (
        ("core.commit", "core.chain", "core.environment_rollout", "lineage.label"),
        lineage.compare,
    ),
    "analysis.change_point": (
        tuple(f"marts.{metric}" for metric in change_points.METRICS),
        change_points.update,
    ),
    "analysis.first_deployment": (
        ("core.onboarding", "core.adoption_member", "core.repository"),
        first_deployment.update,
    ),
    "analysis.migration_forecast": (
        ("marts.migration_done", "marts.adoption_period"),
        migration_forecast.update,
    ),
    "analysis.migration_fan": (("analysis.migration_forecast",), migration_forecast.update_fan),
    "calendar.day": (("core.calendar", "core.change", "core.shipment"), working_time.update),
}


def models(folder: Path = MODELS) -> Mapping[str, Model]:
    """Every model by name, in an order in which each comes after what it reads."""
    return _models(folder)


@cache
def _models(folder: Path) -> Mapping[str, Model]:
    with duckdb.connect(config={"threads": 1}) as parser:
        found = {
            model.name: model
            for schema in ("core", "marts")
            for path in sorted((folder / schema).glob("*.sql"))
            for model in [_parse(path, parser)]
        }
    return {name: found[name] for name in _order(found) if name in found}


def _order(found: Mapping[str, Model]) -> list[str]:
    """Names of models and of what Python builds for them, each after what it reads."""
    graph: dict[str, tuple[str, ...]] = {}
    wanted = [*found]
    while wanted:
        name = wanted.pop()
        if name not in graph and (name in found or name in _PYTHON):
            graph[name] = found[name].reads if name in found else _PYTHON[name][0]
            wanted += graph[name]
    return [name for name in TopologicalSorter(graph).static_order() if name in graph]


def model_dependencies(model: Model) -> tuple[str, ...]:
    """The models and `raw` tables behind a model, those behind Python's tables included."""
    return tuple(sorted({name for read in model.reads for name in _tables_behind(read)}))


def _tables_behind(read: str) -> Iterator[str]:
    if read in _PYTHON:
        for further in _PYTHON[read][0]:
            yield from _tables_behind(further)
    elif read in models() or read.startswith("raw."):
        yield read


def fingerprint(folder: Path = MODELS) -> str:
    """Hash of everything the models consist of."""
    digest = hashlib.sha256()
    for path in [
        *sorted(folder.rglob("*.sql")),
        Path(adoption.__file__),
        Path(change_points.__file__),
        Path(digests.__file__),
        Path(first_deployment.__file__),
        Path(forecast.__file__),
        Path(inserting.__file__),
        Path(lineage.__file__),
        Path(migration_forecast.__file__),
        Path(statistics.__file__),
        Path(working_time.__file__),
        Path(__file__),
    ]:
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def run(
    connection: duckdb.DuckDBPyConnection, folder: Path = MODELS, settings: str | None = None
) -> Iterator[Built]:
    """Build every table; yields each model with its number of rows and its checks.

    Where all was built before with the same `settings` (whatever shapes figures beside the data), only
    figures of periods in which something changed are made anew. Raises `ModelError` where a header and its
    table differ.
    """
    statistics.register(connection)
    connection.execute((folder / "macros.sql").read_text())
    for schema in ("core", FIGURES, "marts"):
        connection.execute(f"create schema if not exists {schema}")
    known = models(folder)
    _drop_others(connection, known)
    digested = {
        read
        for model in known.values()
        if model.header.metric and model.header.metric.area == "delivery"
        for read in model.reads
    }
    idle = _idle(connection, known)
    is_known = settings is not None and digests.begin(connection, settings)
    ordered = ""
    for name in _order(known):
        try:
            if name in idle:
                if model := known.get(name):
                    columns = {each: column.type for each, column in model.header.columns.items()}
                    adoption.leave_empty(connection, name, columns, is_metric=bool(model.header.metric))
                    yield Built(model, 0, {})
                continue
            if name in _PYTHON:
                _PYTHON[name][1](connection)
            elif (metric := known[name].header.metric) and metric.area == "adoption":
                made = _adoption_queries(known[name].table, metric)
                adoption.build(connection, known[name].table, known[name].sql, made)
            elif known[name].header.metric:
                ordered = _build_metric(connection, known, name, folder, is_known, ordered)
            else:
                connection.execute(f"create or replace table {name} as\n{known[name].sql}")
                if settings is not None and name in digested:
                    digests.take(connection, name, known[name].header.day)
        except duckdb.Error as error:
            raise ModelError(f"{name}: {error}") from error
        if model := known.get(name):
            yield checked(connection, model)
    connection.execute("drop table if exists ordered")
    if settings is not None:
        digests.keep(connection, settings)


def _idle(connection: duckdb.DuckDBPyConnection, known: Mapping[str, Model]) -> set[str]:
    """Models without rows, since what they need has none; and what Python builds of these."""
    needed = {model.header.needs for model in known.values() if model.header.needs}
    missing = {need for need in needed if not connection.execute(f"select 1 from {need} limit 1").fetchall()}
    idle = {name for name, model in known.items() if model.header.needs in missing}
    for name in _order(known):
        if name in _PYTHON and not idle.isdisjoint(_PYTHON[name][0]):
            idle.add(name)
    return idle


def _drop_others(connection: duckdb.DuckDBPyConnection, known: Mapping[str, Model]) -> None:
    """Drop what other versions of the models left behind."""
    wanted = {("view" if model.header.metric else "table", name) for name, model in known.items()}
    wanted |= {("table", f"{FIGURES}.{model.table}") for model in known.values() if model.header.metric}
    for kind, name in connection.execute(
        "select if(table_type = 'VIEW', 'view', 'table'), table_schema || '.' || table_name"
        f" from information_schema.tables where table_schema in ('core', 'marts', '{FIGURES}')"
    ).fetchall():
        if (kind, name) not in wanted:
            connection.execute(f"drop {kind} {name}")


# What the queries of a metric read instead, where only stale periods are made anew.
_STALE = {
    "core.period": "select p.* from core.period as p semi join stale_period using (period_id)",
    "marts.period": "select p.* from marts.period as p semi join stale_period using (grain, period_start)",
}


def _build_metric(
    connection: duckdb.DuckDBPyConnection,
    known: Mapping[str, Model],
    name: str,
    folder: Path,
    is_known: bool,
    ordered: str,
) -> str:
    """Make a metric's figures. Returns what `ordered`, a temporary table, has the values of: two quantiles of
    the same, one after the other, sort them once."""
    model = known[name]
    assert model.header.metric
    estimate, figures, rows = _metric_queries(model.table, model.header, folder)
    observation, table = model.sql, f"{FIGURES}.{model.table}"
    undated = [read for read in model.reads if known[read].header.day is None]
    is_partial = is_known and digests.find_stale(connection, model.reads, undated)
    if is_partial:
        for whole, stale in _STALE.items():
            part = f"stale_{whole.replace('.', '_')}"
            connection.execute(f"create or replace temp table {part} as\n{stale}")
            observation, figures = observation.replace(whole, part), figures.replace(whole, part)
        observation = f"from ({observation}) semi join stale_period using (period_id)"
    connection.execute(f"create or replace temp view observation as\n{observation}")
    is_quantile = model.header.metric.estimate in _QUANTILES
    if is_quantile and observation != ordered:
        values = (folder / "ordered.sql").read_text()
        connection.execute(f"create or replace temp table ordered as\n{values}")
    connection.execute(f"create or replace temp table figure as\n{estimate}")
    if is_partial:
        connection.execute(f"create or replace temp table fresh as\n{figures}")
        connection.execute("begin")
        connection.execute(
            f"delete from {table} where (grain, period_start) in"
            " (select (grain, period_start) from stale_period)"
        )
        connection.execute(f"insert into {table} from fresh")
        connection.execute("commit")
        connection.execute("drop table fresh")
    else:
        connection.execute(f"create or replace table {table} as\n{figures}")
    connection.execute(f"create or replace view {model.name} as\n{rows}")
    connection.execute("drop table figure; drop view observation")
    return observation if is_quantile else ""


_QUANTILES = {"median": 0.5, "p90": 0.9}


def _metric_queries(name: str, header: Header, folder: Path) -> tuple[str, str, str]:
    """What makes a metric's figures below a team, all its figures, and its rows."""
    metric = header.metric
    assert metric
    is_census = metric.estimate in ("frequency", "count")
    values = {
        "table": name,
        "metric": _literal(name),
        "unit": _literal(metric.unit),
        "definition": _literal(metric.definition),
        "coverage": metric.coverage,
        "is_census": str(is_census).lower(),
        "is_sum": str(metric.estimate == "count").lower(),
        "has_interval": str(not is_census and metric.estimate != "given").lower(),
        "quantile": str(_QUANTILES.get(metric.estimate)),
    }
    estimating = "quantile" if metric.estimate in _QUANTILES else metric.estimate
    files = (f"estimates/{estimating}.sql", "figures.sql", "metric.sql")
    estimate, figures, rows = (Template((folder / file).read_text()).substitute(values) for file in files)
    return estimate, figures, rows.partition("*/")[2]


def _adoption_queries(name: str, metric: Metric) -> dict[str, str]:
    values = {
        "table": name,
        "metric": _literal(name),
        "unit": _literal(metric.unit),
        "definition": _literal(metric.definition),
        "matures": str(metric.matures),
    }
    return adoption.queries(metric.estimate, values, is_placed=metric.is_placed)


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def checked(connection: duckdb.DuckDBPyConnection, model: Model) -> Built:
    """Count a table's rows and those that break its header. Raises `ModelError` where the columns differ."""
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
    if metric and metric.area == "adoption":
        key = adoption.key(metric.estimate)
    documented = {name: column for name, column in model.header.columns.items() if name in held}
    counts = {f"{', '.join(key)} is unique": f"count(*) - count(distinct ({', '.join(key)}, 0))"}
    if not metric:
        counts |= {
            f"{name} is not null": f'count(*) - count("{name}")'
            for name, column in documented.items()
            if not column.nullable
        }
    accepted = {name: [*column.accepted] for name, column in documented.items() if column.accepted}
    counts |= {
        f"{name} is accepted": f'count(*) filter (not list_contains(?, "{name}"))' for name in accepted
    }
    sql = f"select count(*), {', '.join(counts.values())} from {table}"
    ((rows, *broken),) = connection.execute(sql, [*accepted.values()]).fetchall()
    return Built(model, rows, {name: number for name, number in zip(counts, broken, strict=True) if number})


def _columns(connection: duckdb.DuckDBPyConnection, table: str) -> dict[str, str]:
    """Column → type, in lower case."""
    return {name: kind.lower() for name, kind, *_ in connection.execute(f"describe {table}").fetchall()}


def _parse(path: Path, parser: duckdb.DuckDBPyConnection) -> Model:
    text = path.read_text()
    if not text.startswith("/*"):
        raise ModelError(f"{path.name}: a model begins with its header")
    comment, _, sql = text.removeprefix("/*").partition("*/")
    header = _header(comment)
    if header.get("columns") is None and "metric" in header:
        is_adoption = header["metric"].get("area") == "adoption"
        folder = adoption.FOLDER if is_adoption else path.parents[1]
        shared = _header((folder / "metric.sql").read_text().removeprefix("/*").partition("*/")[0])
        header = shared | header
    parsed = Header.model_validate(header)
    reads = {*_reads(sql, parser)}
    if parsed.metric and parsed.metric.area == "adoption":
        made = _adoption_queries(path.stem, parsed.metric)
        reads |= {name for query in made.values() for name in _reads(query, parser)}
    elif parsed.metric:
        reads |= _reads_of_estimate(parsed.metric.estimate, path.parents[1], parser)
    return Model(f"{path.parent.name}.{path.stem}", parsed, sql.strip(), tuple(sorted(reads)))


@cache
def _header(comment: str) -> dict[str, Any]:
    # libyaml, where it is there, takes a tenth of the time.
    header: dict[str, Any] = yaml.load(comment, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return header


@cache
def _reads_of_estimate(estimate: str, folder: Path, parser: duckdb.DuckDBPyConnection) -> frozenset[str]:
    """Tables that the queries shared by the metrics of an estimate read."""
    metric = {"title": "", "unit": "", "definition": "", "estimate": estimate}
    header = Header.model_validate(
        {"description": "", "grain": "", "key": (), "columns": {}, "metric": metric}
    )
    queries = _metric_queries("x", header, folder)
    return frozenset(name for query in queries for name in _reads(query, parser))


def _reads(sql: str, parser: duckdb.DuckDBPyConnection) -> Iterator[str]:
    """The tables that a query names with their schema."""
    ((text,),) = parser.execute(f"select json_serialize_sql({_literal(sql)})").fetchall()
    tree = json.loads(text)
    if tree["error"]:
        raise ModelError(f"{tree['error_message']}: {sql}")
    nodes = [tree]
    while nodes:
        node = nodes.pop()
        if isinstance(node, list):
            nodes += node
        elif isinstance(node, dict):
            nodes += node.values()
            if node.get("type") == "BASE_TABLE" and node["schema_name"] not in ("", FIGURES):
                yield f"{node['schema_name']}.{node['table_name']}"
