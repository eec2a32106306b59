"""Who owned what, and when: a team's figures are of what was its own when it happened; all counts once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.connector import Batch, Options
from connectors.git import GitOptions
from connectors.records import Ownership, Record, Repository, Team
from connectors.records import Service as CatalogueService
from pipelines import ingest, refresh
from pipelines.ingest import Read
from pipelines.landing import Landing
from pipelines.workspace import SourceConfig, TakenFrom, TeamConfig, Workspace
from tests.pipelines import modelled
from tests.pipelines.acme import Acme, utc
from tests.pipelines.modelled import making
from tests.pipelines.reference.given import Service
from tests.pipelines.reference.given import Team as GivenTeam

_models = making(
    "marts.change", "marts.change_lead_time", "marts.data_quality", "marts.deployment", "marts.deployments",
    "marts.service", "marts.team",
)  # fmt: skip

Rows = Callable[[str], list[tuple[Any, ...]]]
"""What a query yields."""

ALWAYS, STILL = "always", "still"
Held = tuple[str, str, str, bool]
"""(team, first day, day it ended, assumed)."""

TEAMS = (
    GivenTeam("product"),
    GivenTeam("web", "product"),
    GivenTeam("pay", "product"),
    GivenTeam("bank", "product"),
)


def day(moment: datetime) -> str:
    return {1: ALWAYS, 9999: STILL}.get(moment.year, f"{moment:%m-%d}")


def held(rows: Rows, service: str, table: str = "ownership") -> list[Held]:
    found = rows(
        f"select team, valid_from, valid_until, is_assumed from core.{table} where service = '{service}'"
        " order by valid_from, team"
    )
    return [(team, day(begin), day(end), is_assumed) for team, begin, end, is_assumed in found]


def rows_of(acme: Acme) -> Rows:
    return lambda sql: [(*row.values(),) for row in acme.query(sql)]


def released(acme: Acme, repository: str, *moments: str) -> None:
    """A commit, and its deployment, at each of the moments; the first is the baseline."""
    for number, moment in enumerate(moments):
        sha = f"{repository}{number}"
        acme.commit(repository, sha, moment)
        acme.deploy(repository, sha, moment.replace("00:", "12:"))


def by_month(acme: Acme, metric: str, level: str, key: str) -> dict[str, float | None]:
    rows = acme.query(
        f"select period_start, value from marts.{metric} where level = ? and key = ? and grain = 'month'",
        level,
        key,
    )
    return {f"{row['period_start']:%m}": row["value"] for row in rows}


def test_t21_what_belongs_to_several_counts_once() -> None:
    """Two teams own a service, two services share a repository, and a service has two repositories."""
    acme = Acme(
        services=(
            Service("shop", ("shop", "shared"), teams=("web", "pay")),
            Service("bank", ("shared",), teams=("web",)),
        ),
        teams=TEAMS,
    )
    released(acme, "shop", "2026-01-05 00:00", "2026-01-06 00:00")
    released(acme, "shared", "2026-01-07 00:00", "2026-01-08 00:00", "2026-01-09 00:00")
    acme.build()
    counted = {
        (row["level"], row["key"]): row["value"]
        for row in acme.query("select level, key, value from marts.deployments where grain = 'year'")
    }
    assert counted == {
        ("repository", "shop"): 2,
        ("repository", "shared"): 3,
        ("service", "shop"): 5,
        ("service", "bank"): 3,
        ("team", "web"): 5,
        ("team", "pay"): 5,
        ("team", "product"): 5,
        ("organisation", "Acme"): 5,
    }
    # Of two ways in which the department has a service, one is enough.
    assert acme.row("change_lead_time", "product", level="team")["n"] == 2
    assert acme.query("select count(*) as n from core.tenure where team = 'product'") == [{"n": 2}]


def test_t22_ownership_is_as_of_the_event() -> None:
    acme = Acme(services=(Service("shop", ("shop",)),), teams=TEAMS)
    released(acme, "shop", "2026-01-05 00:00", "2026-01-31 00:00", "2026-02-01 00:00", "2026-03-05 00:00")
    acme.owned("shop", "web", "2026-01-20 00:00", "2026-02-01 12:00")
    acme.owned("shop", "pay", "2026-02-01 12:00")
    acme.build()
    # It went over at the very moment at which a deployment finished.
    assert by_month(acme, "deployments", "team", "web") == {"01": 2, "02": 0}
    assert by_month(acme, "deployments", "team", "pay") == {"02": 1, "03": 1}
    whole = {"01": 2, "02": 1, "03": 1}
    for level, key in (("service", "shop"), ("team", "product"), ("organisation", "Acme")):
        assert by_month(acme, "deployments", level, key) == whole
    assert acme.row("change_lead_time", "web", level="team")["value"] == 12 * 3600
    # Before the first known owner it is taken to have been the same.
    rows = rows_of(acme)
    assert held(rows, "shop") == [
        ("web", ALWAYS, "01-20", True),
        ("web", "01-20", "02-01", False),
        ("pay", "02-01", STILL, False),
    ]
    assert held(rows, "shop", "tenure")[0] == ("product", ALWAYS, "01-20", True)
    # In all of it, and so by the service's own figures.
    rolled_up = acme.query(
        "select key, member_level, member from core.roll_up where level = 'team' order by 1"
    )
    assert [(*row.values(),) for row in rolled_up] == [
        ("pay", "tenure", "shop in pay"),
        ("product", "service", "shop"),
        ("web", "tenure", "shop in web"),
    ]


def test_at_every_moment_one_owner_is_named_the_first_by_name() -> None:
    acme = Acme(services=(Service("shop", ("shop",)), Service("till", ("till",))), teams=TEAMS)
    acme.owned("shop", "pay", "2026-01-20 00:00", "2026-02-01 00:00")
    acme.owned("shop", "web", "2026-02-01 00:00")
    acme.owned("shop", "bank", "2026-03-01 00:00", "2026-04-01 00:00")
    moments = ("2026-01-05 00:00", "2026-02-01 00:00", "2026-03-05 00:00", "2026-04-05 00:00")
    for repository in ("shop", "till"):
        released(acme, repository, *moments)
    acme.build()
    found = rows_of(acme)("select service, team, valid_from from core.owner order by service, valid_from")
    assert [(service, team, day(begin)) for service, team, begin in found] == [
        ("shop", "pay", "always"),
        ("shop", "pay", "01-20"),
        ("shop", "web", "02-01"),
        ("shop", "bank", "03-01"),
        ("shop", "web", "04-01"),
        ("till", None, "always"),
    ]
    for table, at in (("deployment", "finished_at"), ("change", "deployed_at")):
        teams = rows_of(acme)(f"select service, team from marts.{table} order by service, {at}")
        named = [team for service, team in teams if service == "shop"]
        assert named == ["pay", "web", "bank", "web"]
        assert teams[4:] == [("till", None)] * 4


def test_records_go_before_the_workspace_in_their_time() -> None:
    names = "abcdefg"
    acme = Acme(
        services=tuple(Service(name, ("shop",), teams=("web",) if name in "abc" else ()) for name in names),
        teams=TEAMS,
    )
    acme.commit("shop", "c0", "2026-01-05 00:00")
    acme.owned("a", "pay", None, "2026-02-01 00:00")
    acme.owned("b", "pay", "2026-02-01 00:00", "2026-03-01 00:00")
    acme.owned("b", "bank", "2026-02-15 00:00", "2026-03-01 00:00")
    acme.owned("c", "nobody", "2026-02-01 00:00")
    acme.owned("c", "pay", "2026-03-01 00:00", "2026-03-01 00:00")
    acme.owned("d", "pay", "2026-02-01 00:00", "2026-03-01 00:00")
    acme.owned("d", "bank", "2026-04-01 00:00")
    acme.owned("e", "pay", "2026-02-01 00:00", "2026-03-01 00:00")
    acme.owned("e", "pay", "2026-03-01 00:00", "2026-04-01 00:00")
    acme.owned("e", "bank", "2026-02-01 00:00")
    acme.owned("f", "pay", None, None)
    acme.build()
    rows = rows_of(acme)
    assert {name: held(rows, name) for name in names} == {
        "a": [("pay", ALWAYS, "02-01", False), ("web", "02-01", STILL, False)],
        "b": [
            ("web", ALWAYS, "02-01", False),
            ("pay", "02-01", "03-01", False),
            ("bank", "02-15", "03-01", False),
            ("web", "03-01", STILL, False),
        ],
        # A team that nobody knows, and a time that is none.
        "c": [("web", ALWAYS, STILL, False)],
        # What is between two is unknown; what is before the first is taken to be like it.
        "d": [
            ("pay", ALWAYS, "02-01", True),
            ("pay", "02-01", "03-01", False),
            ("bank", "04-01", STILL, False),
        ],
        "e": [
            ("bank", ALWAYS, "02-01", True),
            ("pay", ALWAYS, "02-01", True),
            ("bank", "02-01", STILL, False),
            ("pay", "02-01", "04-01", False),
        ],
        "f": [("pay", ALWAYS, STILL, False)],
        "g": [],
    }
    # The department has `e` by two teams: once.
    assert held(rows, "e", "tenure") == [
        ("bank", ALWAYS, "02-01", True),
        ("pay", ALWAYS, "02-01", True),
        ("product", ALWAYS, "02-01", True),
        ("bank", "02-01", STILL, False),
        ("pay", "02-01", "04-01", False),
        ("product", "02-01", STILL, False),
    ]
    unknown = acme.query("select source, name from marts.unmapped where kind = 'unknown_owner'")
    assert unknown == [{"source": "github", "name": "c of nobody"}]
    assert acme.query("select service, team, teams from marts.service where service in ('b', 'e', 'g')") == [
        {"service": "b", "team": "web", "teams": ["web"]},
        {"service": "e", "team": "bank", "teams": ["bank"]},
        {"service": "g", "team": None, "teams": []},
    ]


class Catalogue:
    """A catalogue that is read from time to time."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.connection = modelled.connect()
        self._folder = folder
        self._monkeypatch = monkeypatch

    def read(self, on: str, **records: list[Any]) -> None:
        """All it holds `on` that day, by stream."""
        self._land("catalogue", on, records, is_whole=True)

    def say(self, *records: Record) -> None:
        """What files say beside it, at any time."""
        self._land("files", "12-31", {"ownership": [*records]}, is_whole=False)

    def host(self, repository: Repository, on: str = "01-01", **records: list[Any]) -> None:
        """A repository as its host shows it that day."""
        self._land("github", on, {"repository": [repository], **records}, is_whole=False)

    def _land(self, source: str, on: str, records: dict[str, list[Any]], *, is_whole: bool) -> None:
        moment = datetime.fromisoformat(f"2026-{on}").replace(tzinfo=UTC)
        with self._monkeypatch.context() as patched:
            patched.setattr("pipelines.landing.time.time_ns", lambda: int(moment.timestamp()) * 10**9)
            landing = Landing(self._folder, source)
            for stream, batch in records.items():
                landing.write(Batch(stream, "1", batch, is_whole=is_whole))
        ingest.load(self.connection, self._folder, {"github": Read({"1": utc("2026-12-31 00:00")})})

    def model(self, **settings: Any) -> None:
        options = GitOptions(repositories=("/srv/x",))
        sources = [("github", options), ("catalogue", Options()), ("files", Options())]
        taken = TakenFrom.model_validate({"from": "catalogue"})
        workspace = Workspace(
            organisation="Acme",
            sources=tuple(SourceConfig(kind=name, name=name, options=each) for name, each in sources),
            **{"services": taken, "teams": taken, **settings},
        )
        for built in refresh.build(self.connection, workspace):
            assert built.broken == {}, built.model.name

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self.connection.execute(sql).fetchall()


@pytest.fixture
def catalogue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Catalogue:
    return Catalogue(tmp_path, monkeypatch)


SHOP = Repository("1", "shop", "https://git.example.invalid/acme/shop", "main", False)


def component(name: str, team: str | None, *aliases: str, paths: tuple[str, ...] = ()) -> CatalogueService:
    return CatalogueService(
        f"component:{name}", name, team, None, "service", None, None, (SHOP.url,), paths, aliases
    )


def group(name: str, parent: str | None = None, title: str | None = None) -> Team:
    return Team(f"group:{name}", title or name, f"group:{parent}" if parent else None, "team")


def test_a_catalogues_owners_hold_from_when_they_were_read(catalogue: Catalogue) -> None:
    catalogue.host(SHOP)
    teams = [group("web"), group("pay"), group("twins/a", title="Twin"), group("twins/b", title="Twin")]
    services = [
        component("shop", "group:web"),
        component("late", None),
        component("orphan", "group:gone"),
        component("left", "group:web"),
        component("told", "group:web", "jenkins:told/deploy"),
        component("said", "group:web"),
        component("twin", "group:twins/a"),
    ]
    catalogue.read("02-01", team=teams, service=services)
    services[0] = component("shop", "group:pay")
    services[1] = component("late", "group:pay")
    services[3] = component("left", None)
    # A team that goes leaves its name to the past.
    catalogue.read("03-01", team=teams[1:], service=services)
    catalogue.say(
        Ownership("component:told", "group:pay", None, utc("2026-01-10 00:00")),
        Ownership("component:told", "web", utc("2026-01-10 00:00"), utc("2026-01-20 00:00")),
        Ownership("said", "pay", utc("2026-01-10 00:00"), utc("2026-01-20 00:00")),
        Ownership("told", "Twin", utc("2026-04-01 00:00"), None),
        Ownership("unheard of", "pay", None, None),
    )
    catalogue.model()
    owners = {
        name: held(catalogue.rows, name) for (name,) in catalogue.rows("select service from core.service")
    }
    assert owners == {
        "shop": [
            ("web", ALWAYS, "02-01", True),
            ("web", "02-01", "03-01", False),
            ("pay", "03-01", STILL, False),
        ],
        "late": [("pay", ALWAYS, "03-01", True), ("pay", "03-01", STILL, False)],
        "orphan": [],
        "left": [("web", ALWAYS, "02-01", True), ("web", "02-01", "03-01", False)],
        # From what records say to the first reading the catalogue's owner is taken to have been it already.
        "told": [
            ("pay", ALWAYS, "01-10", False),
            ("web", "01-10", "01-20", False),
            ("web", "01-20", "02-01", True),
            ("web", "02-01", STILL, False),
        ],
        "said": [
            ("pay", ALWAYS, "01-10", True),
            ("pay", "01-10", "01-20", False),
            ("web", "01-20", "02-01", True),
            ("web", "02-01", STILL, False),
        ],
        "twin": [("group:twins/a", ALWAYS, "02-01", True), ("group:twins/a", "02-01", STILL, False)],
    }
    assert catalogue.rows("select team, is_former from core.team order by 1") == [
        ("group:twins/a", False),
        ("group:twins/b", False),
        ("pay", False),
        ("web", True),
    ]
    assert ("web", None, 4) in catalogue.rows("select team, parent, services from marts.team")
    names = catalogue.rows("select name from marts.unmapped where kind = 'unknown_owner' order by 1")
    assert [name for (name,) in names] == [
        "component:orphan of group:gone",
        "told of Twin",
        "unheard of of pay",
    ]


def test_a_team_counts_for_the_department_it_was_in(catalogue: Catalogue) -> None:
    catalogue.host(SHOP)
    services = [component("shop", "group:web")]
    departments = [group("east"), group("west")]
    catalogue.read("02-01", team=[*departments, group("web", "east")], service=services)
    catalogue.read("03-01", team=[*departments, group("web", "west", title="Web & apps")], service=services)
    catalogue.say(Ownership("shop", "web", None, None))
    catalogue.model()
    assert held(catalogue.rows, "shop", "tenure") == [
        ("Web & apps", ALWAYS, STILL, False),
        ("east", ALWAYS, "03-01", False),
        ("west", "03-01", STILL, False),
    ]
    assert catalogue.rows("select member from core.roll_up where level = 'team' order by key") == [
        ("shop",),
        ("shop in east",),
        ("shop in west",),
    ]


def test_a_catalogues_services_in_teams_of_the_workspace_and_folders_of_shared_repositories(
    catalogue: Catalogue,
) -> None:
    """Its id of a team leads to the one of that name; where a service is described narrows nothing."""
    catalogue.host(SHOP)
    services = [component("shop", "group:web", paths=("deploy",))]
    catalogue.read("02-01", team=[group("web", title="Web")], service=services)
    catalogue.model(teams=(TeamConfig(name="Web"),))
    assert [team for team, *_ in held(catalogue.rows, "shop")] == ["Web", "Web"]
    paths = "select service, paths from core.service_repository order by 1"
    assert catalogue.rows(paths) == [("shop", [])]
    catalogue.read("03-01", service=[component(name, None, paths=(name,)) for name in ("shop", "bank")])
    catalogue.model(teams=())
    assert catalogue.rows(paths) == [("bank", ["bank"]), ("shop", ["shop"])]


def test_t27_paths_decide_the_service() -> None:
    acme = Acme(
        services=(
            Service("shop", ("mono",), paths=("services/shop", "libs/cart")),
            Service("bank", ("mono",), paths=("services/bank",)),
        ),
    )
    folders = {
        "c0": ("services/shop",),
        "c1": ("services/shop/api", "docs"),
        "c2": ("libs/cart", "services/bank"),
        "c3": ("services/bank-tools",),
        "c4": None,
        "c5": ("services/bank",),
    }
    for sha, touched in folders.items():
        acme.commit("mono", sha, "2026-01-05 00:00", folders=touched)
    acme.deploy("mono", "c0", "2026-01-06 00:00", service="shop")
    acme.deploy("mono", "c0", "2026-01-06 00:00", service="bank")
    acme.deploy("mono", "c4", "2026-01-07 00:00", service="shop")
    acme.deploy("mono", "c5", "2026-01-09 00:00", service="bank")
    acme.build()
    shipped = acme.query(
        """
        select distinct c.sha, x.service, dayofmonth(x.deployed_at) as day
        from marts.change as x
        inner join core.change as c using (change_key)
        where x.left_out is distinct from 'baseline'
        order by all
        """
    )
    assert [(*row.values(),) for row in shipped] == [
        ("c1", "shop", 7),
        ("c2", "bank", 9),
        ("c2", "shop", 7),
        ("c3", None, 7),
        ("c4", None, 7),
        ("c5", "bank", 9),
    ]
    quality = acme.query("from marts.data_quality where kind = 'change_without_path'")[0]
    assert (quality["things"], quality["of_affected"]) == (2, 6)
    assert {key: acme.row("deployments", key)["value"] for key in ("shop", "bank")} == {"shop": 2, "bank": 2}
