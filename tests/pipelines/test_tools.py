"""What tools record, modelled: deployments by environment, services and teams as a catalogue has them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from connectors.connector import Batch, Options
from connectors.git import GitOptions
from connectors.records import Commit, Deployment, Membership, Ref, Repository, Service, Team
from pipelines import ingest, refresh
from pipelines.ingest import Read
from pipelines.landing import Landing
from pipelines.workspace import ProductionConfig, SourceConfig, TakenFrom, Workspace

URL = "https://github.example.invalid/acme/shop"
START = datetime(2026, 3, 2, 8, tzinfo=UTC)


def at(day: int, hour: int = 12) -> datetime:
    return datetime(2026, 3, day, hour, tzinfo=UTC)


def deployment(id_: str, sha: str, finished_at: datetime | None, **changes: Any) -> Deployment:
    record = Deployment(
        id_, "1", None, None, "production", None, sha, "main", "success", START, START, finished_at, None
    )
    return record._replace(**changes)


def service(name: str, team: str | None, *repositories: str) -> Service:
    return Service(
        f"component:{name}", name, team, None, "service", None, None, repositories, (), ()
    )  # fmt: skip


@pytest.fixture
def land(tmp_path: Path) -> Callable[..., None]:
    """Lands batches of one source; each call is a file a batch."""

    def write(source: str, *batches: Batch) -> None:
        landing = Landing(tmp_path, source)
        for batch in batches:
            landing.write(batch)

    return write


@pytest.fixture
def connection() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("set TimeZone = 'UTC'")
    return connection


def workspace(**settings: Any) -> Workspace:
    return Workspace(
        organisation="Acme",
        sources=(
            SourceConfig(kind="git", name="git", options=GitOptions(repositories=("/srv/x",))),
            SourceConfig(kind="github", name="github", options=GitOptions(repositories=("/srv/x",))),
            SourceConfig(kind="backstage", name="backstage", options=Options()),
        ),
        **settings,
    )


def build(connection: duckdb.DuckDBPyConnection, folder: Path, workspace: Workspace, *scopes: str) -> None:
    covered = dict.fromkeys(scopes or ("1",), at(31))
    ingest.load(connection, folder, {"github": Read(covered), "git": Read(covered)})
    for built in refresh.build(connection, workspace):
        assert built.broken == {}


def history(repository: str, *shas: str) -> list[Batch]:
    commits = [
        Commit(repository, sha, (shas[n - 1],) if n else (), "who", False, START, START, "change", None)
        for n, sha in enumerate(shas)
    ]
    tags = [Ref(repository, f"v1.0.{n}", "tag", sha, at(20 + n)) for n, sha in enumerate(shas)]
    return [Batch("commit", repository, commits), Batch("ref", repository, tags, is_whole=True)]


def deployed(connection: duckdb.DuckDBPyConnection) -> list[tuple[Any, ...]]:
    return connection.execute(
        "select deployment_id, sha, ref, day(finished_at) from core.deployment order by finished_at"
    ).fetchall()


def test_recorded_deployments_go_before_tags(
    connection: duckdb.DuckDBPyConnection, land: Callable[..., None], tmp_path: Path
) -> None:
    shop = Repository("1", "shop", URL, "main", False)
    land("github", *history("1", "a", "b", "c"), Batch("repository", "1", [shop]))
    build(connection, tmp_path, workspace())
    assert [ref for _, _, ref, _ in deployed(connection)] == ["v1.0.0", "v1.0.1", "v1.0.2"]
    records = [
        deployment("10", "a", at(3)),
        deployment("11", "a", at(4)),  # the same again ships nothing
        deployment("12", "b", at(5), environment="Production-EU", ref="v1.0.1"),
        deployment("13", "c", at(6), environment="preprod"),
        deployment("14", "c", at(7), status="failed"),
        deployment("15", "c", None, status="running"),
        deployment("16", "c", at(9), ref="~1f00aa"),
    ]
    land("github", Batch("deployment", "1", records))
    build(connection, tmp_path, workspace())
    assert deployed(connection) == [
        ("github:10", "a", "main", 3),
        ("github:12", "b", "v1.0.1", 5),
        ("github:16", "c", "c", 9),
    ]


def test_the_workspace_says_which_environments_are_production(
    connection: duckdb.DuckDBPyConnection, land: Callable[..., None], tmp_path: Path
) -> None:
    land(
        "github",
        *history("1", "a", "b"),
        Batch("repository", "1", [Repository("1", "shop", URL, "main", False)]),
    )
    records = [deployment("10", "a", at(3)), deployment("11", "b", at(4), environment="customer-facing")]
    land("github", Batch("deployment", "1", records))
    settings = workspace(production=ProductionConfig(environments=("customer-.*",)))
    build(connection, tmp_path, settings)
    assert [id_ for id_, *_ in deployed(connection)] == ["github:11"]


def test_who_sends_a_deployment_may_say_that_it_is_to_production(
    connection: duckdb.DuckDBPyConnection, land: Callable[..., None], tmp_path: Path
) -> None:
    land(
        "github",
        *history("1", "a", "b", "c"),
        Batch("repository", "1", [Repository("1", "shop", URL, "main", False)]),
    )
    sent = {"repository": None, "repository_url": URL}
    records = [
        deployment("10", "a", at(3), environment="customers", is_production=True, **sent),
        deployment("11", "b", at(4), is_production=False, **sent),
        deployment("12", "c", at(5), **sent),
    ]
    land("push", Batch("deployment", "deployments", records))
    guess = deployment("13", "a", at(6), environment="product-catalog", is_production=True)
    land("github", Batch("deployment", "1", [guess]))
    build(connection, tmp_path, workspace())
    assert [id_ for id_, *_ in deployed(connection)] == ["push:10", "push:12"]


@pytest.mark.parametrize("address", [URL, f"{URL}.git", "git@GitHub.example.invalid:acme/shop.git"])
def test_a_tool_that_knows_only_the_address_finds_the_repository(
    connection: duckdb.DuckDBPyConnection, land: Callable[..., None], tmp_path: Path, address: str
) -> None:
    land(
        "github", *history("1", "a"), Batch("repository", "1", [Repository("1", "shop", URL, "main", False)])
    )
    record = deployment("10", "a", at(3), repository=None, repository_url=address)
    land("push", Batch("deployment", "push", [record]))
    build(connection, tmp_path, workspace())
    assert [id_ for id_, *_ in deployed(connection)] == ["push:10"]


def test_what_git_and_the_host_both_read_counts_once(
    connection: duckdb.DuckDBPyConnection, land: Callable[..., None], tmp_path: Path
) -> None:
    land(
        "git",
        *history("h/acme/shop", "a"),
        Batch("repository", "h/acme/shop", [Repository("h/acme/shop", "shop", URL, "main", False)]),
    )
    land(
        "github", *history("1", "a"), Batch("repository", "1", [Repository("1", "shop", URL, "main", False)])
    )
    build(connection, tmp_path, workspace(), "1", "h/acme/shop")
    assert connection.execute("select source, repository from core.repository").fetchall() == [
        ("github", "shop")
    ]


def test_of_a_repository_made_anew_under_its_name_the_living_one_counts(
    connection: duckdb.DuckDBPyConnection, land: Callable[..., None], tmp_path: Path
) -> None:
    for id_ in ("1", "2"):
        shop = Repository(id_, "shop", URL, "main", False)
        land("github", *history(id_, f"a{id_}"), Batch("repository", id_, [shop]))
    ingest.load(connection, tmp_path, {"github": Read({"1": at(2), "2": at(31)})})
    for built in refresh.build(connection, workspace()):
        assert built.broken == {}
    assert connection.execute("select repository_id from core.repository").fetchall() == [("2",)]


def test_a_deployment_of_a_service_alone_is_of_its_one_repository(
    connection: duckdb.DuckDBPyConnection, land: Callable[..., None], tmp_path: Path
) -> None:
    land(
        "github", *history("1", "a"), Batch("repository", "1", [Repository("1", "shop", URL, "main", False)])
    )
    records = [
        deployment("10", "a", at(3), repository=None, service="shop"),
        deployment("11", "a", at(4), repository=None, service="unheard-of"),
    ]
    land("push", Batch("deployment", "deployments", records))
    build(connection, tmp_path, workspace())
    assert [id_ for id_, *_ in deployed(connection)] == ["push:10"]


def test_services_and_teams_are_those_of_the_catalogue(
    connection: duckdb.DuckDBPyConnection, land: Callable[..., None], tmp_path: Path
) -> None:
    land(
        "github", *history("1", "a"), Batch("repository", "1", [Repository("1", "shop", URL, "main", False)])
    )
    teams = [
        Team("group:web", "Web", "group:product", "team"),
        Team("group:product", "Product", None, "department"),
        Team("group:a/twin", "Twin", None, "team"),
        Team("group:b/twin", "Twin", None, "team"),
    ]
    services = [
        service("shop-ui", "group:web", "git@github.example.invalid:acme/shop.git"),
        service("shop-api", "group:b/twin", "shop"),
        service("orphan", "group:nobody", "https://github.example.invalid/acme/other"),
    ]
    land("backstage", Batch("team", "catalogue", teams), Batch("service", "catalogue", services))
    settings = workspace(
        services=TakenFrom.model_validate({"from": "backstage"}),
        teams=TakenFrom.model_validate({"from": "backstage"}),
    )
    build(connection, tmp_path, settings)
    assert connection.execute("select service, team from marts.service order by service").fetchall() == [
        ("shop-api", "group:b/twin"),
        ("shop-ui", "Web"),
    ]
    assert connection.execute("select team, parent from marts.team").fetchall() == [
        ("Product", None),
        ("Web", "Product"),
        ("group:a/twin", None),
        ("group:b/twin", None),
    ]


def test_a_key_with_an_unknown_part_still_identifies(
    connection: duckdb.DuckDBPyConnection, land: Callable[..., None], tmp_path: Path
) -> None:
    member = Membership("web", "p1", None, None)
    land("backstage", Batch("membership", "catalogue", [member]))
    ingest.load(connection, tmp_path, {})
    land("backstage", Batch("membership", "catalogue", [member, member._replace(valid_from=START)]))
    ingest.load(connection, tmp_path, {})
    assert connection.execute("select count(*) from raw.membership").fetchall() == [(2,)]


def test_a_retained_scope_keeps_what_was_read_of_it(
    connection: duckdb.DuckDBPyConnection, land: Callable[..., None], tmp_path: Path
) -> None:
    land("github", *history("1", "a"), *history("2", "b"))
    ingest.load(connection, tmp_path, {"github": Read({"1": at(9), "2": at(9)})})
    ingest.load(connection, tmp_path, {"github": Read({"1": at(9)}, retained={"2"})})
    assert connection.execute("select count(*) from raw.commit").fetchall() == [(2,)]
    ingest.load(connection, tmp_path, {"github": Read({"1": at(9)})})
    assert connection.execute("select repository from raw.commit").fetchall() == [("1",)]
