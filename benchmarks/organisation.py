"""A made-up organisation of any size, written straight into `raw.*`: three years of its deliveries.

Every value is a hash of what it belongs to, so that the same size gives the same organisation, and what
happens later can be added on its own. A repository's main branch is a line of *items*: pull requests,
merged, squashed or rebased, and commits pushed without one. Item k comes at a moment of its own between
k and k + 1 steps after the beginning.
"""

from __future__ import annotations

import json
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
from pydantic import SecretStr

from connectors.backstage import BackstageOptions
from connectors.github.options import GitHubOptions
from connectors.records import KEYS
from pipelines import history, ingest
from pipelines.ingest import Read
from pipelines.landing import arrow_schema
from pipelines.workspace import SourceConfig, TakenFrom, Workspace

_SQL = Path(__file__).with_name("organisation_sql")
BEGAN = datetime(2023, 1, 2, tzinfo=UTC)
SPAN = timedelta(days=1095)
NEWS = SPAN / 100
"""What 1 % of new data spans."""


@dataclass(frozen=True)
class Size:
    """How much there is; every pull request comes with ten commits and five runs, and ten jobs."""

    services: int
    pull_requests: int
    deployments: int
    """To production."""


SIZES = {
    "S": Size(50, 20_000, 10_000),
    "M": Size(1_000, 1_000_000, 500_000),
    "L": Size(10_000, 10_000_000, 5_000_000),
}


def workspace() -> Workspace:
    """What would be configured to read it."""
    token = SecretStr("unused")
    sources = (
        SourceConfig(
            kind="github",
            name="github",
            options=GitHubOptions(organization="acme", token=token, git="/unused"),
        ),
        SourceConfig(
            kind="backstage",
            name="catalogue",
            options=BackstageOptions(url="https://acme.example", token=token),
        ),
    )
    taken = TakenFrom.model_validate({"from": "catalogue"})
    return Workspace(
        organisation="Acme", timezone="Europe/Berlin", sources=sources, services=taken, teams=taken
    )


def generate(connection: duckdb.DuckDBPyConnection, size: Size, *, repositories: int | None = None) -> None:
    """Fill an empty warehouse with everything until `BEGAN + SPAN`.

    `repositories` makes it that many services with a repository each, without more to it: one for all
    of the pull requests, say.
    """
    ingest.prepare(connection)
    _set(
        connection,
        began=BEGAN,
        services=repositories or size.services,
        shared=0 if repositories else size.services // 20,
        pull_requests=size.pull_requests,
        deployments=size.deployments,
    )
    _run(connection, "macros", "services", "catalogue")
    for source in ("github", "catalogue"):
        for stream in history.STREAMS:
            history.keep(connection, source, stream, BEGAN + SPAN)
    _write(connection, datetime(1970, 1, 1, tzinfo=UTC), BEGAN + SPAN)


def grow(connection: duckdb.DuckDBPyConnection) -> None:
    """Land what the next 1 % of the time brings, and load it."""
    ((home, until),) = connection.execute(
        "select current_database(), max(covered_until) from raw.coverage"
    ).fetchall()
    connection.execute("attach ':memory:' as news; use news")
    ingest.prepare(connection)
    connection.execute("create schema bench")
    for table in ("service", "repository"):
        connection.execute(f'create table bench.{table} as from "{home}".bench.{table}')
    _run(connection, "macros")
    _write(connection, until, until + NEWS)
    with tempfile.TemporaryDirectory() as folder:
        _land(connection, Path(folder))
        connection.execute(f'use "{home}"; detach news')
        covered = connection.execute("select source, scope from raw.coverage").fetchall()
        reads = {
            source: Read({scope: until + NEWS for of, scope in covered if of == source})
            for source, _ in covered
        }
        ingest.load(connection, Path(folder), reads)


def _land(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Write every row of `raw.*` into files, as connectors would."""
    for stream in KEYS:
        columns = ", ".join(f'"{field.name}"' for field in arrow_schema(stream))
        for source, scope in connection.execute(
            f'select distinct source, scope from raw."{stream}"'
        ).fetchall():
            said = {"source": source, "stream": stream, "scope": scope, "cursor": None, "is_whole": False}
            (folder / source).mkdir(exist_ok=True)
            path = folder / source / f"{time.time_ns():020d}-{stream}.parquet"
            connection.execute(
                f'copy (select {columns} from raw."{stream}" where source = $1 and scope = $2)'
                f" to '{path}' (format parquet, kv_metadata {{cairn: '{json.dumps(said)}'}})",
                [source, scope],
            )


def _write(connection: duckdb.DuckDBPyConnection, since: datetime, until: datetime) -> None:
    """What happened from `since` to `until`, and the pull requests that it changed as they now are."""
    _set(connection, began=BEGAN, since=since, until=until)
    names = ("items", "commits", "pull_requests", "rollouts", "deployments", "runs", "incidents", "coverage")
    _run(connection, *names)


def _run(connection: duckdb.DuckDBPyConnection, *names: str) -> None:
    for name in names:
        connection.execute((_SQL / f"{name}.sql").read_text())


def _set(connection: duckdb.DuckDBPyConnection, **variables: object) -> None:
    for name, value in variables.items():
        connection.execute(f"set variable {name} = ?", [value])
