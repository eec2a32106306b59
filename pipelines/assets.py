"""The pipeline as Dagster assets: land → load → model → publish.

One asset per source with its streams as outputs, one per raw stream, one per SQL model,
and the snapshot. Each stage is one step in one process: a process per step would cost
seconds each, and DuckDB takes one writer anyway (ADR 4).
"""

import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import dagster as dg

import connectors
from connectors.records import KEYS
from pipelines import ingest, modelling, push, refresh, surveys, warehouse
from pipelines.checks import Built
from pipelines.home import Home
from pipelines.ingest import Change
from pipelines.landing import QUARANTINE
from pipelines.model import Model
from pipelines.reading import Progress, SourceRead, read_source
from pipelines.status import STALE_AFTER
from pipelines.workspace import SourceConfig, Workspace

PUBLISHED = dg.AssetKey(["published", "snapshot"])
_READ_CHECK = "everything_was_read"
_MODEL_CHECK = "holds_what_its_header_says"
_MODEL_CHECKED = "The key is unique, nothing is null that must not be, every value is accepted"


@dataclass
class Run:
    """What the steps of one run share: where to work, what for, and what came of it."""

    home: Home
    workspace: Workspace
    is_full: bool = False
    progress: Progress = lambda _source, _stream, _records: None
    stage: Callable[[str], None] = lambda _name: None
    """Called with the name of each stage as it begins."""
    retries: int = 2
    """How often a source is read again after what may pass by itself: a time-out, a dropped connection."""
    retry_seconds: float = 30
    reads: dict[str, SourceRead] = field(default_factory=dict)
    changes: dict[tuple[str, str], Change] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)
    """Constraints of the models that rows break, a line each."""
    failure: str | None = None
    """Why the run could not go on, in one line."""
    snapshot_id: str | None = None
    """Id of the snapshot the run published; None where there was nothing new."""
    under_way: str | None = None
    """Stage that began and did not end."""

    @contextmanager
    def doing(self, stage: str) -> Iterator[None]:
        """A stage of the run; notes why it failed."""
        self.under_way = stage
        self.stage(stage)
        try:
            yield
        except Exception as error:
            self.failure = str(error).strip().partition("\n")[0]
            raise
        self.under_way = None


def source_asset(source: SourceConfig) -> dg.AssetsDefinition:
    """Lands what is new in one source, one output per stream."""
    streams = connectors.connector_type(source.kind).streams_of(source.options)
    keys = [dg.AssetKey(["source", source.name, stream]) for stream in streams]
    checked = keys[0]

    @dg.multi_asset(
        name=f"read_{identifier(source.name)}",
        specs=[
            dg.AssetSpec(
                key,
                group_name="sources",
                kinds={source.kind},
                description=f"{key.path[-1]} records landed",
                freshness_policy=dg.FreshnessPolicy.time_window(fail_window=STALE_AFTER),
            )
            for key in keys
        ],
        check_specs=[
            dg.AssetCheckSpec(_READ_CHECK, asset=checked, description="No part of the source was refused")
        ],
        required_resource_keys={"run"},
    )
    def read(context: dg.AssetExecutionContext) -> Iterator[Any]:
        run: Run = context.resources.run
        with run.doing(f"Reading {source.name}"):
            result = read_source(run.home, source, is_full=run.is_full, progress=run.progress)
        run.reads[source.name] = result
        if result.is_transient and context.retry_number < run.retries:
            raise dg.RetryRequested(run.retries, run.retry_seconds)
        problems = [f"{p.scope}: {p.message}" for p in result.problems]
        if result.error:
            problems.append(str(result.error))
        for key, stream in zip(keys, streams, strict=True):
            metadata = {"records": result.landed[stream], "quarantined": result.quarantined[stream]}
            yield dg.MaterializeResult(asset_key=key, metadata=metadata)
        yield dg.AssetCheckResult(
            passed=result.is_ok, asset_key=checked, check_name=_READ_CHECK, metadata={"problems": problems}
        )

    return read


def raw_asset(sources: tuple[SourceConfig, ...]) -> dg.AssetsDefinition:
    """Merges what landed into `raw.*`, one output per table."""
    by_stream: dict[str, list[dg.AssetKey]] = {
        table: [] for table in (*KEYS, "coverage", "snapshot", QUARANTINE)
    }
    for source in sources:
        for stream in connectors.connector_type(source.kind).streams_of(source.options):
            for table in (stream, "coverage", "snapshot", QUARANTINE):
                by_stream[table].append(dg.AssetKey(["source", source.name, stream]))

    @dg.multi_asset(
        name="load",
        specs=[
            dg.AssetSpec(["raw", stream], deps=deps, group_name="raw", kinds={"duckdb"})
            for stream, deps in sorted(by_stream.items())
        ],
        required_resource_keys={"run"},
    )
    def load(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[Any]]:
        run: Run = context.resources.run
        reads = {name: result.outcome() for name, result in run.reads.items()}
        reads |= push.outcome(run.home, datetime.now(UTC))
        with run.doing("Loading"), warehouse.writing(run.home) as connection:
            run.changes = ingest.load(connection, run.home.landing, reads)
            if problem := surveys.load(connection, run.home, run.workspace):
                run.broken.append(problem)
        for stream in sorted(by_stream):
            changes = [change for (_, name), change in run.changes.items() if name == stream]
            yield dg.MaterializeResult(
                asset_key=["raw", stream],
                metadata={
                    "new": sum(c.new for c in changes),
                    "changed": sum(c.changed for c in changes),
                    "gone": sum(c.gone for c in changes),
                },
            )

    return load


def model_asset() -> dg.AssetsDefinition:
    """Rebuilds every SQL model in one step; skips them all where nothing they depend on has changed."""
    models = modelling.models()

    @dg.multi_asset(
        name="model",
        specs=[_model_spec(model) for model in models.values()],
        check_specs=[
            dg.AssetCheckSpec(_MODEL_CHECK, asset=dg.AssetKey(name.split(".")), description=_MODEL_CHECKED)
            for name in models
        ],
        # Only the outputs of a step that can be subset may all be left out.
        can_subset=True,
        required_resource_keys={"run"},
    )
    def model(context: dg.AssetExecutionContext) -> Iterator[Any]:
        run: Run = context.resources.run
        with warehouse.writing(run.home) as connection:
            wanted = refresh.wanted_fingerprint(connection, run.workspace)
            is_built = refresh.built_fingerprint(connection) == wanted
            if (
                is_built
                and not run.is_full
                and wanted.startswith(warehouse.current_fingerprint(run.home) or "-")
            ):
                return
            with run.doing("Modelling"):
                for built in refresh.build(connection, run.workspace, is_full=run.is_full):
                    run.broken += [
                        f"{built.model.name}: {rows} row(s) break: {c}" for c, rows in built.broken.items()
                    ]
                    yield from _built(built, context.selected_asset_keys)

    return model


def _built(built: Built, selected: AbstractSet[dg.AssetKey]) -> Iterator[Any]:
    key = dg.AssetKey(built.model.name.split("."))
    if key in selected:
        yield dg.MaterializeResult(asset_key=key, metadata={"dagster/row_count": built.rows})
        yield dg.AssetCheckResult(
            passed=not built.broken, asset_key=key, check_name=_MODEL_CHECK, metadata=built.broken
        )


def snapshot_asset() -> dg.AssetsDefinition:
    """Publishes the marts as a new snapshot for readers."""
    marts = [dg.AssetKey(name.split(".")) for name in modelling.models() if name.startswith("marts.")]

    @dg.asset(
        key=PUBLISHED, deps=marts, group_name="published", kinds={"duckdb"}, required_resource_keys={"run"}
    )
    def publish(context: dg.AssetExecutionContext) -> dg.MaterializeResult[Any]:
        """The snapshot that pages, the command line and the API read."""
        run: Run = context.resources.run
        with run.doing("Publishing"), warehouse.writing(run.home) as connection:
            fingerprint = refresh.built_fingerprint(connection)
            if fingerprint is None:
                raise dg.Failure("Nothing is modelled yet: materialise the models first")
            run.snapshot_id = warehouse.publish(connection, run.home, fingerprint)
        return dg.MaterializeResult(metadata={"snapshot": run.snapshot_id})

    return publish


def _model_spec(model: Model) -> dg.AssetSpec:
    columns = [
        dg.TableColumn(
            name,
            column.type,
            description=column.description,
            constraints=dg.TableColumnConstraints(nullable=column.nullable),
        )
        for name, column in model.header.columns.items()
    ]
    metadata: Mapping[str, Any] = {
        "dagster/column_schema": dg.TableSchema(columns),
        "grain": model.header.grain,
    }
    return dg.AssetSpec(
        key=model.name.split("."),
        deps=[dg.AssetKey(name.split(".")) for name in modelling.model_dependencies(model)],
        description=model.header.description,
        group_name=model.schema,
        metadata=metadata,
        kinds={"sql", "duckdb"},
        skippable=True,
    )


def identifier(name: str) -> str:
    """A configured name as Dagster names its steps."""
    plain = re.sub(r"\W", "_", name)
    return plain if plain == name else f"{plain}_{zlib.crc32(name.encode()):08x}"
