"""A made-up organisation of any size, written straight into `raw.*`: three years of its deliveries.

Every value is a hash of what it belongs to, so that the same size gives the same organisation, and what
happens later can be added on its own. A repository's main branch is a line of *items*: pull requests,
merged, squashed or rebased, and commits pushed without one. Item k comes at a moment of its own between
k and k + 1 steps after the beginning.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
from pydantic import SecretStr

from connectors.backstage import BackstageOptions
from connectors.github.options import GitHubOptions
from pipelines import history, ingest
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
    """Add what the next 1 % of the time brings, as one load would: all or nothing."""
    _run(connection, "macros")
    ((until,),) = connection.execute("select max(covered_until) from raw.coverage").fetchall()
    connection.execute("begin")
    _write(connection, until, until + NEWS)
    connection.execute("commit")


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
