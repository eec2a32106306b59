"""SQL models: one table per file, its header first; run in dependency order in one process.

A file in `models/core` or `models/marts` holds one `select`. Its header, a YAML block
comment, documents the table; a run fails where header and table differ. A file with a
`metric` in its header yields observations of services and repositories. The file of its
estimate in `models/estimates` makes figures of them, and `models/figures.sql` those of the
levels above: the table `figures.<metric>`, which holds no empty periods. `models/metric.sql`
is the view `marts.<metric>` upon it: every period, with its status.

A refresh makes anew only what rests on something that changed: of a model with `by` in its header
the rows that changes touch, of a metric the figures of the periods in which something changed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import duckdb

from pipelines import (
    adoption,
    ancestry,
    change_points,
    checks,
    deltas,
    first_deployment,
    forecast,
    inserting,
    lineage,
    memory,
    metric_tables,
    migration_forecast,
    model,
    row_refresh,
    statistics,
    working_time,
)
from pipelines.checks import Built, checked
from pipelines.deltas import Deltas
from pipelines.model import FIGURES, Model, ModelError, adoption_queries, parse

MODELS = Path(__file__).with_name("models")

# Tables that Python builds between two models: what they read, and how.
_PYTHON: dict[str, tuple[tuple[str, ...], Callable[[duckdb.DuckDBPyConnection], object]]] = {
    "lineage.label": (("core.commit", "core.line"), lineage.label),
    "lineage.ancestor": (
        ("core.commit", "core.chain", "core.environment_rollout", "lineage.label"),
        ancestry.compare,
    ),
    "analysis.change_point": (
        ("core.figure_subject", *(f"marts.{metric}" for metric in change_points.METRICS)),
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
    "calendar.day": (
        ("core.calendar", "core.change", "core.shipment", "raw.pull_request"),
        working_time.update,
    ),
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
            for model in [parse(path, parser)]
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


_PARTS = (
    adoption, ancestry, change_points, checks, deltas, first_deployment, forecast, inserting, lineage,
    metric_tables, migration_forecast, model, row_refresh, statistics, working_time,
)  # fmt: skip


def fingerprint(folder: Path = MODELS) -> str:
    """Hash of everything the models consist of."""
    digest = hashlib.sha256()
    for path in [
        *sorted(folder.rglob("*.sql")),
        *(Path(str(part.__file__)) for part in _PARTS),
        Path(__file__),
    ]:
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def run(
    connection: duckdb.DuckDBPyConnection, folder: Path = MODELS, settings: str | None = None
) -> Iterator[Built]:
    """Build every table; yields each model with its number of rows and its checks.

    Where all was built before with the same `settings` (whatever shapes tables beside the data), what rests
    on nothing that changed since stays. Raises `ModelError` where a header and its table differ.
    """
    statistics.register(connection)
    connection.execute((folder / "macros.sql").read_text())
    for schema in ("core", FIGURES, "marts"):
        connection.execute(f"create schema if not exists {schema}")
    known = models(folder)
    _drop_others(connection, known)
    order = _order(known)
    reads = {name: _reads(name, known) for name in order}
    if settings is not None:
        settings = hashlib.sha256("\0".join([settings, *known]).encode()).hexdigest()
    changes = Deltas(connection, settings, {read for of in reads.values() for read in of} - {*order})
    broken: list[str] = []
    with memory.bounded(connection) if changes.is_known else nullcontext():
        for built in _made(connection, changes, known, reads, folder):
            if built.broken:
                broken.append(built.model.name)
            yield built
    connection.execute("drop table if exists ordered")
    changes.keep(broken)


def _made(
    connection: duckdb.DuckDBPyConnection,
    changes: Deltas,
    known: Mapping[str, Model],
    reads: Mapping[str, tuple[str, ...]],
    folder: Path,
) -> Iterator[Built]:
    """Build what rests on something that changed, in the order of `reads`; yields each of the models."""
    read_by_others = {read for of in reads.values() for read in of}
    idle = _idle(connection, known)
    metrics = metric_tables.Builder(connection, changes, known, folder)
    for name in reads:
        table = known.get(name)
        words_of = table.words_of if table else lambda _: None
        if changes.is_known and not changes.of(reads[name], words_of) and name not in changes.was_broken:
            if table:
                yield Built(table, _count(connection, table), {})
            continue
        is_partial = False
        try:
            if name in idle:
                if table:
                    columns = {each: column.type for each, column in table.header.columns.items()}
                    adoption.leave_empty(connection, name, columns, is_metric=bool(table.header.metric))
                    yield Built(table, 0, {})
                changes.unknown(name)
                continue
            if not table:
                _build_by_python(connection, name, changes)
                continue
            if (metric := table.header.metric) and metric.area == "adoption":
                made = adoption_queries(table.table, metric)
                adoption.build(connection, table.table, table.sql, made)
                changes.unknown(name)
            elif metric:
                is_partial = metrics.build(table)
            else:
                is_partial = row_refresh.build(connection, changes, table, is_read=name in read_by_others)
        except duckdb.Error as error:
            raise ModelError(f"{name}: {error}") from error
        yield checked(connection, table, is_partial=is_partial)


def _reads(name: str, known: Mapping[str, Model]) -> tuple[str, ...]:
    """The tables that decide what is in a table."""
    if name not in known:
        return _PYTHON[name][0]
    needs = known[name].header.needs
    return (*known[name].reads, *([needs] if needs else []))


def _count(connection: duckdb.DuckDBPyConnection, table: Model) -> int:
    name = f"{FIGURES}.{table.table}" if table.header.metric else table.name
    ((rows,),) = connection.execute(f"select count(*) from {name}").fetchall()
    return int(rows)


def _build_by_python(connection: duckdb.DuckDBPyConnection, name: str, changes: Deltas) -> None:
    """Let Python make a table, and note what of it changed."""
    build = _PYTHON[name][1]
    if name == "lineage.label":
        _label(connection, changes)
    elif name == "lineage.ancestor":
        _compare(connection, changes)
    elif changes.is_known:
        connection.execute(f"create or replace temp table was as from {name}")
        build(connection)
        changes.compare(name, "was", name)
    else:
        build(connection)


def _label(connection: duckdb.DuckDBPyConnection, changes: Deltas) -> None:
    """Labels are kept from build to build, but where commits may have become others."""
    words = {"commit_key", "parent_keys"}
    moved = changes.rows("core.commit", words, only="gone")
    if changes.of(["core.commit"]) and moved is None:
        lineage.reset(connection)
    come = changes.rows("core.commit", words, only="come")
    lineage.label(connection, moved, come)
    if changes.is_known:
        # Looked at more than once.
        connection.execute("create or replace temp table noted_label as from changed_label")
        changes.told("lineage.label", "noted_label")


def _compare(connection: duckdb.DuckDBPyConnection, changes: Deltas) -> None:
    """Compare versions; those that the last build compared stay as they are."""
    if not changes.is_known:
        ancestry.compare(connection)
        return
    name = "core.environment_rollout"
    rollouts = changes.rows(name) if changes.of([name]) else f"from {name} limit 0"
    connection.execute("create or replace temp table was as from lineage.ancestor")
    ancestry.compare(connection, None if changes.of(["core.chain"]) else rollouts)
    changes.compare("lineage.ancestor", "was", "lineage.ancestor")


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
