"""SQL models: one table per file, its header first; built in dependency order in one process.

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
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, closing, nullcontext
from functools import cache, partial
from graphlib import TopologicalSorter
from pathlib import Path

import duckdb

from pipelines import (
    adoption,
    ancestry,
    building,
    change_points,
    checks,
    computed,
    deltas,
    first_deployment,
    forecast,
    inserting,
    lineage,
    memory,
    metric_tables,
    migration_forecast,
    model,
    processors,
    row_refresh,
    statistics,
    workers,
    working_time,
)
from pipelines.building import Builder
from pipelines.checks import Built
from pipelines.computed import COMPUTED
from pipelines.deltas import Deltas
from pipelines.model import FIGURES, QUANTILES, Model, parse

MODELS = Path(__file__).with_name("models")
AT_ONCE = 2
"""Tables made at a time: few queries take all processors to their end."""


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
        if name not in graph and (name in found or name in COMPUTED):
            graph[name] = found[name].reads if name in found else COMPUTED[name][0]
            wanted += graph[name]
    return [name for name in TopologicalSorter(graph).static_order() if name in graph]


def model_dependencies(model: Model) -> tuple[str, ...]:
    """The models and `raw` tables behind a model, those behind Python's tables included."""
    return tuple(sorted({name for read in model.reads for name in _tables_behind(read)}))


def _tables_behind(read: str) -> Iterator[str]:
    if read in COMPUTED:
        for further in COMPUTED[read][0]:
            yield from _tables_behind(further)
    elif read in models() or read.startswith("raw."):
        yield read


_PARTS = (
    adoption, ancestry, building, change_points, checks, computed, deltas, first_deployment, forecast,
    inserting, lineage, metric_tables, migration_forecast, model, processors, row_refresh, statistics,
    workers, working_time,
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
    # Two connections could not make one schema at once.
    for schema in {"core", FIGURES, "marts", *(name.partition(".")[0] for name in COMPUTED)}:
        connection.execute(f"create schema if not exists {schema}")
    known = models(folder)
    _drop_others(connection, known)
    order = _order(known)
    reads = {name: _reads(name, known) for name in order}
    if settings is not None:
        settings = hashlib.sha256("\0".join([settings, *known]).encode()).hexdigest()
    sources = {read for of in reads.values() for read in of} - {*order}
    idle = _idle(connection, known)
    with (
        closing(Deltas(_session(connection, folder), settings, sources)) as changes,
        memory.bounded(connection) if changes.is_known else nullcontext(),
        processors.shared(connection) as querying,
        ExitStack() as sessions,
    ):
        opened = [sessions.enter_context(_session(connection, folder)) for _ in range(AT_ONCE)]
        builders = [Builder(each, changes, known, reads, idle, folder) for each in opened]
        tasks = _tasks(known, order)
        leaders = {name: task for task, names in tasks.items() for name in names}
        needs = {
            task: {leaders[read] for name in names for read in reads[name] if read in leaders} - {task}
            for task, names in tasks.items()
        }

        def interrupt() -> None:
            for each in opened:
                each.interrupt()

        def work(builder: Builder, task: str) -> list[Built]:
            return [built for name in tasks[task] if (built := builder.build(name))]

        broken: list[str] = []
        crew = [partial(work, builder) for builder in builders]
        for made in workers.results(needs, crew, interrupt, querying):
            broken += [built.model.name for built in made if built.broken]
            yield from made
        changes.keep(broken)


def _session(connection: duckdb.DuckDBPyConnection, folder: Path) -> duckdb.DuckDBPyConnection:
    """Another connection to the same database, with what the models' queries need."""
    ((zone, workspace_zone),) = connection.execute(
        "select current_setting('TimeZone'), getvariable('timezone')"
    ).fetchall()
    session = connection.cursor()
    session.execute(f"set enable_progress_bar = false; set TimeZone = '{zone}'")
    session.execute("set variable timezone = ?", [workspace_zone])
    session.execute((folder / "macros.sql").read_text())
    return session


def _tasks(known: Mapping[str, Model], order: Iterable[str]) -> dict[str, list[str]]:
    """The first table of each task → all of it, one after the other: two quantiles of the same values have
    these put in order once."""
    tasks: dict[str, list[str]] = {}
    leaders: dict[str, str] = {}
    for name in order:
        metric = known[name].header.metric if name in known else None
        of = known[name].sql if metric and metric.estimate in QUANTILES else name
        tasks.setdefault(leaders.setdefault(of, name), []).append(name)
    return tasks


def _reads(name: str, known: Mapping[str, Model]) -> tuple[str, ...]:
    """The tables that decide what is in a table."""
    if name not in known:
        return COMPUTED[name][0]
    needs = known[name].header.needs
    return (*known[name].reads, *([needs] if needs else []))


def _idle(connection: duckdb.DuckDBPyConnection, known: Mapping[str, Model]) -> set[str]:
    """Models without rows, since what they need has none; and what Python builds of these."""
    needed = {model.header.needs for model in known.values() if model.header.needs}
    missing = {need for need in needed if not connection.execute(f"select 1 from {need} limit 1").fetchall()}
    idle = {name for name, model in known.items() if model.header.needs in missing}
    for name in _order(known):
        if name in COMPUTED and not idle.isdisjoint(COMPUTED[name][0]):
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
