"""What tools record, modelled: deployments by environment, services and teams as a catalogue has them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
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
from tests.pipelines import modelled
from tests.pipelines.modelled import making
from tests.pipelines.told import Stories

_models = making("core.deployment", "marts.service", "marts.team")

START = datetime(2026, 3, 2, 8, tzinfo=UTC)


def at(day: int, hour: int = 12) -> datetime:
    return datetime(2026, 3, day, hour, tzinfo=UTC)


def url(name: str) -> str:
    return f"https://github.example.invalid/acme/{name}"


def deployment(of: str, id_: str, sha: str, finished_at: datetime | None, **changes: Any) -> Deployment:
    """Of a repository, whose name its id begins with."""
    place = (f"{of}/{id_}", of, None, None, "production", None)
    return Deployment(*place, sha, "main", "success", START, START, finished_at, None)._replace(**changes)


def service(name: str, team: str | None, *repositories: str) -> Service:
    return Service(
        f"component:{name}", name, team, None, "service", None, None, repositories, (), ()
    )  # fmt: skip


class Tools:
    """What several tools recorded, each landed batch by batch."""

    def __init__(self, **settings: Any) -> None:
        self.connection = modelled.connect()
        self._folder = tempfile.TemporaryDirectory()
        self._covered: dict[str, dict[str, datetime]] = {"github": {}, "git": {}}
        reads = (("git", "git"), ("github", "git"), ("backstage", "backstage"))
        options = {"git": GitOptions(repositories=("/srv/x",)), "backstage": Options()}
        self._workspace = Workspace(
            organisation="Acme",
            sources=tuple(SourceConfig(kind=name, name=name, options=options[how]) for name, how in reads),
            **settings,
        )

    def land(self, source: str, *batches: Batch, until: datetime = at(31)) -> None:  # noqa: B008
        """Each a file; of git hosts all is known until then."""
        landing = Landing(Path(self._folder.name), source)
        for batch in batches:
            landing.write(batch)
            if source in self._covered:
                self._covered[source][batch.scope] = until

    def hosted(self, name: str, *shas: str, source: str = "github", id_: str | None = None) -> None:
        """A repository and its history."""
        id_ = id_ or name
        repository = Repository(id_, name, url(name), "main", False)
        self.land(source, *history(id_, *shas), Batch("repository", id_, [repository]))

    def build(self) -> None:
        reads = {source: Read(covered) for source, covered in self._covered.items()}
        ingest.load(self.connection, Path(self._folder.name), reads)
        for built in refresh.build(self.connection, self._workspace):
            assert built.broken == {}, built.model.name

    def deployed(self, repository: str) -> list[tuple[Any, ...]]:
        """Source and what follows the repository's name in the id, commit, ref and day."""
        return self.query(
            "select regexp_replace(deployment_id, ':.*/', ':'), sha, ref, day(finished_at)"
            " from core.deployment where repository_id = ? order by finished_at",
            repository,
        )

    def query(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        return self.connection.execute(sql, parameters).fetchall()


usual = Stories(Tools)


def history(repository: str, *shas: str) -> list[Batch]:
    commits = [
        Commit(repository, sha, (shas[n - 1],) if n else (), "who", False, START, START, "change", None)
        for n, sha in enumerate(shas)
    ]
    tags = [Ref(repository, f"v1.0.{n}", "tag", sha, at(20 + n)) for n, sha in enumerate(shas)]
    return [Batch("commit", repository, commits), Batch("ref", repository, tags, is_whole=True)]


@usual.told
def test_recorded_deployments_go_before_tags(tools: Tools) -> Iterator[None]:
    tools.hosted("recorded", "a", "b", "c")
    yield
    assert [ref for _, _, ref, _ in tools.deployed("recorded")] == ["v1.0.0", "v1.0.1", "v1.0.2"]
    recorded = partial(deployment, "recorded")
    records = [
        recorded("10", "a", at(3)),
        recorded("11", "a", at(4)),  # the same again ships nothing
        recorded("12", "b", at(5), environment="Production-EU", ref="v1.0.1"),
        recorded("13", "c", at(6), environment="preprod"),
        recorded("14", "c", at(7), status="failed"),
        recorded("15", "c", None, status="running"),
        recorded("16", "c", at(9), ref="~1f00aa"),
    ]
    tools.land("github", Batch("deployment", "recorded", records))
    yield
    assert tools.deployed("recorded") == [
        ("github:10", "a", "main", 3),
        ("github:12", "b", "v1.0.1", 5),
        ("github:16", "c", "c", 9),
    ]


def test_the_workspace_says_which_environments_are_production() -> None:
    tools = Tools(production=ProductionConfig(environments=("customer-.*",)))
    tools.hosted("shop", "a", "b")
    records = [
        deployment("shop", "10", "a", at(3)),
        deployment("shop", "11", "b", at(4), environment="customer-facing"),
    ]
    tools.land("github", Batch("deployment", "shop", records))
    tools.build()
    assert [id_ for id_, *_ in tools.deployed("shop")] == ["github:11"]


@usual.told
def test_who_sends_a_deployment_may_say_that_it_is_to_production(tools: Tools) -> Iterator[None]:
    tools.hosted("sent", "a", "b", "c")
    sent = partial(deployment, "sent", repository=None, repository_url=url("sent"))
    records = [
        sent("10", "a", at(3), environment="customers", is_production=True),
        sent("11", "b", at(4), is_production=False),
        sent("12", "c", at(5)),
    ]
    tools.land("push", Batch("deployment", "sent", records))
    guess = deployment("sent", "13", "a", at(6), environment="product-catalog", is_production=True)
    tools.land("github", Batch("deployment", "sent", [guess]))
    yield
    assert [id_ for id_, *_ in tools.deployed("sent")] == ["push:10", "push:12"]


@usual.told
def test_a_tool_that_knows_only_the_address_finds_the_repository(tools: Tools) -> Iterator[None]:
    addresses = {
        "as-it-is": url("as-it-is"),
        "with-its-ending": f"{url('with-its-ending')}.git",
        "by-ssh": "git@GitHub.example.invalid:acme/by-ssh.git",
    }
    for name, address in addresses.items():
        tools.hosted(name, "a")
        record = deployment(name, "10", "a", at(3), repository=None, repository_url=address)
        tools.land("push", Batch("deployment", name, [record]))
    yield
    for name in addresses:
        assert [id_ for id_, *_ in tools.deployed(name)] == ["push:10"], name


@usual.told
def test_what_git_and_the_host_both_read_counts_once(tools: Tools) -> Iterator[None]:
    tools.hosted("twice", "a", source="git", id_="h/acme/twice")
    tools.hosted("twice", "a")
    yield
    assert tools.query("select source from core.repository where repository = 'twice'") == [("github",)]


@usual.told
def test_of_a_repository_made_anew_under_its_name_the_living_one_counts(tools: Tools) -> Iterator[None]:
    for id_, until in (("1", at(2)), ("2", at(31))):
        anew = Repository(id_, "anew", url("anew"), "main", False)
        tools.land("github", *history(id_, f"a{id_}"), Batch("repository", id_, [anew]), until=until)
    yield
    assert tools.query("select repository_id from core.repository where repository = 'anew'") == [("2",)]


@usual.told
def test_a_deployment_of_a_service_alone_is_of_its_one_repository(tools: Tools) -> Iterator[None]:
    tools.hosted("alone", "a")
    records = [
        deployment("alone", "10", "a", at(3), repository=None, service="alone"),
        deployment("alone", "11", "a", at(4), repository=None, service="unheard-of"),
    ]
    tools.land("push", Batch("deployment", "alone", records))
    yield
    ids = tools.query("select deployment_id from core.deployment where deployment_id like 'push:alone/%'")
    assert ids == [("push:alone/10",)]


def test_services_and_teams_are_those_of_the_catalogue() -> None:
    taken = TakenFrom.model_validate({"from": "backstage"})
    tools = Tools(services=taken, teams=taken)
    tools.hosted("shop", "a")
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
    tools.land("backstage", Batch("team", "catalogue", teams), Batch("service", "catalogue", services))
    tools.build()
    assert tools.query("select service, team from marts.service order by service") == [
        ("shop-api", "group:b/twin"),
        ("shop-ui", "Web"),
    ]
    assert tools.query("select team, parent from marts.team") == [
        ("Product", None),
        ("Web", "Product"),
        ("group:a/twin", None),
        ("group:b/twin", None),
    ]


@pytest.fixture
def connection() -> duckdb.DuckDBPyConnection:
    return modelled.connect()


def test_a_key_with_an_unknown_part_still_identifies(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    member = Membership("web", "p1", None, None)
    backstage = Landing(tmp_path, "backstage")
    backstage.write(Batch("membership", "catalogue", [member]))
    ingest.load(connection, tmp_path, {})
    backstage.write(Batch("membership", "catalogue", [member, member._replace(valid_from=START)]))
    ingest.load(connection, tmp_path, {})
    assert connection.execute("select count(*) from raw.membership").fetchall() == [(2,)]


def test_a_retained_scope_keeps_what_was_read_of_it(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    for batch in (*history("1", "a"), *history("2", "b")):
        Landing(tmp_path, "github").write(batch)
    ingest.load(connection, tmp_path, {"github": Read({"1": at(9), "2": at(9)})})
    ingest.load(connection, tmp_path, {"github": Read({"1": at(9)}, retained={"2"})})
    assert connection.execute("select count(*) from raw.commit").fetchall() == [(2,)]
    ingest.load(connection, tmp_path, {"github": Read({"1": at(9)})})
    assert connection.execute("select repository from raw.commit").fetchall() == [("1",)]
