"""What a reference run is given, through the real pipeline: landed, loaded and modelled."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from connectors.connector import Batch, Options
from connectors.git import GitOptions
from connectors.records import STREAMS, Record, Ref
from pipelines import ingest, modelling, refresh
from pipelines.figures import ROW_KEYS
from pipelines.ingest import Read
from pipelines.landing import Landing
from pipelines.workspace import SourceConfig, Workspace
from tests.pipelines.reference.given import Calendar, Given, Source

_STREAM = {record: stream for stream, record in STREAMS.items()}
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

Row = dict[str, Any]
Place = tuple[str, str, str, str, date]
"""(metric, level, key, grain, first day)."""


def workspace(given: Given) -> Workspace:
    """The workspace that a file with these settings makes."""
    return Workspace.model_validate(
        {
            "organisation": given.organisation,
            "timezone": given.timezone,
            "sources": tuple(
                SourceConfig(kind=source.kind, name=source.name, options=_options(source))
                for source in given.sources
            ),
            "services": [
                {"name": s.name, "repositories": s.repositories, "paths": s.paths, "team": s.teams}
                for s in given.services
            ],
            "teams": [
                {
                    "name": team.name,
                    "parent": team.parent,
                    "timezone": team.timezone,
                    "calendar": _calendar(team.calendar) if team.calendar else None,
                }
                for team in given.teams
            ],
            "production": {"environments": given.environments, "jobs": given.jobs},
            "failure_window": given.failure_window,
            "hotfix_labels": given.hotfix_labels,
            "include_bots": given.include_bots,
            "calendar": _calendar(given.calendar),
        }
    )


def _options(source: Source) -> Options:
    if source.releases is None:
        return Options()
    return GitOptions(repositories=("/srv/x",), releases=source.releases)


def _calendar(calendar: Calendar) -> dict[str, object]:
    weekend = [_WEEKDAYS[day] for day in calendar.weekend]
    return {"country": calendar.country, "subdivision": calendar.subdivision, "weekend": weekend}


def load(
    connection: duckdb.DuckDBPyConnection, given: Given, batches: Iterable[tuple[str, Batch]] = ()
) -> None:
    """Land every record, and (source, batch) as a connector yields them, and merge it all into `raw.*`."""
    groups: dict[tuple[str, str, str], list[Record]] = defaultdict(list)
    for source, scope, record in given.records:
        groups[source, scope, _STREAM[type(record)]].append(record)
    with tempfile.TemporaryDirectory() as folder:
        for (source, scope, stream), records in groups.items():
            misfits = Landing(Path(folder), source).write(
                Batch(stream, scope, records, is_whole=stream == _STREAM[Ref])
            )
            assert not misfits
        for source, batch in batches:
            assert not Landing(Path(folder), source).write(batch)
        reads: dict[str, dict[str, Any]] = defaultdict(dict)
        for (source, scope), until in given.covered.items():
            reads[source][scope] = until
        ingest.load(connection, Path(folder), {source: Read(covered) for source, covered in reads.items()})


def connect(path: Path | str = ":memory:") -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(path)
    # A query of a few rows takes longer with more threads.
    connection.execute("set TimeZone = 'UTC'; set threads = 1")
    return connection


def build(
    given: Given,
    connection: duckdb.DuckDBPyConnection | None = None,
    batches: Iterable[tuple[str, Batch]] = (),
) -> duckdb.DuckDBPyConnection:
    """Records in, marts out; every model keeps what its header promises."""
    connection = connection or connect()
    load(connection, given, batches)
    for built in refresh.build(connection, workspace(given), is_full=True):
        assert built.broken == {}, built.model.name
    return connection


@contextmanager
def only(*names: str) -> Iterator[None]:
    """Within it a build makes these models and what they rest on, in the place of all."""
    known, wanted, behind = modelling.models(), set(), [*names]
    while behind:
        name = behind.pop()
        if name in known and name not in wanted:
            wanted.add(name)
            behind += modelling.model_dependencies(known[name])
    with pytest.MonkeyPatch.context() as patched:
        some = {name: model for name, model in known.items() if name in wanted}
        patched.setattr(modelling, "models", lambda *_: some)
        yield


def making(*names: str) -> Callable[[], Iterator[None]]:
    """A fixture: of these models, and what they rest on, are all builds of the module that has it.

    All models take twice the time. `test_reference.py` makes them all of any organisation.
    """

    @pytest.fixture(scope="module", autouse=True)
    def some() -> Iterator[None]:
        with only(*names):
            yield

    return some


def figures(connection: duckdb.DuckDBPyConnection) -> dict[Place, Row]:
    """Every row of every metric."""
    metrics = connection.execute("select metric from marts.metric_definition").fetchall()
    columns = ", ".join(ROW_KEYS)
    rows = connection.execute(
        " union all ".join(f"select {columns} from marts.{metric}" for (metric,) in metrics)
    ).fetchall()
    named = [dict(zip(ROW_KEYS, row, strict=True)) for row in rows]
    return {
        (row["metric"], row["level"], row["key"], row["grain"], row["period_start"]): row for row in named
    }
