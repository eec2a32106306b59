"""Whose faults and incidents are: services that share a repository, one of two, none, and teams over time."""

from __future__ import annotations

import pytest

from connectors.records import Service
from tests.pipelines import incidents
from tests.pipelines.acme import SOURCES, Acme
from tests.pipelines.incidents import Shop, faults, sha
from tests.pipelines.modelled import making
from tests.pipelines.reference import given

_models = making(
    "marts.change_fail_rate", "marts.deployment_success_rate", "marts.failed_deployment_recovery_time",
    "marts.fault", "marts.incident", "marts.rework_rate", "marts.time_to_restore",
)  # fmt: skip

CATALOGUE = given.Source("backstage", "backstage")


def catalogued(id_: str, name: str, *aliases: str) -> Service:
    """What a catalogue, or the tool for those on call, says of a service."""
    return Service(id_, name, None, None, "service", None, None, (), (), aliases)


@pytest.fixture(scope="module")
def mall() -> Acme:
    """Services that share a repository by `paths`, one of two repositories, and repositories of none."""
    mall = Acme(
        covered_until="2026-03-31 00:00",
        sources=(*SOURCES, CATALOGUE),
        services=(
            given.Service("web", ("mono",), ("web",)),
            given.Service("api", ("mono",), ("api",)),
            given.Service("till", ("till", "till-lib")),
        ),
        teams=(given.Team("before"), given.Team("since")),
        jobs=("^release$",),
    )
    mall.add("backstage", "catalogue", catalogued("component:web", "web", "pagerduty:PWEB"))
    mall.add("pagerduty", "directory", catalogued("PAPI", "api"))
    mall.owned("till", "before", until="2026-03-02 10:30")
    mall.owned("till", "since", since="2026-03-02 10:30")

    mono = Shop(mall, "mono")
    mono.commit("a1", "1 00:00", folder="web")
    mono.commit("b1", "1 00:00", folder="api")
    mono.commit("c1", "1 00:00", folder="docs")
    mono.commit("r1", "2 14:00", folder="api", kind="revert", reverts="b1")
    mono.commit("r2", "2 14:00", folder="docs", kind="revert", reverts="c1")
    mono.commit("e1", "5 00:00", folder="web")
    mono.deploy("d1", "a1", "1 10:00", "1 10:10")
    mono.deploy("d2", "c1", "2 10:00", "2 10:10")
    mono.deploy("d3", "r2", "2 15:00", "2 15:10")
    mono.deploy("d4", "e1", "5 10:00", "5 10:10")
    mono.deploy("d5", "r2", "5 20:00", "5 20:10")
    mono.incident("web-1", "5 11:00", "5 12:00", service="PWEB")
    mono.incident("api-1", "9 11:00", None, service="PAPI")
    mono.issue("mono-1", "5 11:30", "5 14:10")
    mono.incident("lost", "5 11:00", None, service="unheard-of")
    mono.incident("named", "9 11:00", "9 12:00", service=None, deployment=mono.id("d3"))
    mono.incident("web-2", "9 11:00", "9 12:00", service="PWEB", deployment=mono.id("d3"))

    till, library = Shop(mall, "till"), Shop(mall, "till-lib")
    for shop in (till, library):
        shop.line("a1", "b1")
        shop.deployed("a1")
    till.deploy("d2", "b1", "2 10:00", "2 10:10")
    library.deploy("d3", "b1", "2 11:00", "2 11:10")
    till.incident("t1", "2 10:59", "2 11:59")
    till.incident("t2", "2 11:00", None)
    till.incident("t3", "2 12:00", "2 12:10", deployment=till.id("d1"))
    library.issue("t4", "1 11:00", "1 11:30")

    stray = Shop(mall, "stray")
    stray.line("a1", "b1")
    stray.deployed("a1", "b1", "a1")
    stray.issue("s1", "2 11:00", "2 12:00")

    Shop(mall, "built").line("a1", "b1")
    for day, (commit, result) in enumerate((("a1", "success"), ("b1", "failed")), start=1):
        moment = f"2026-03-0{day} 10:00"
        mall.run("built", sha(commit), moment, moment, workflow="release", result=result)
    return mall.build()


def test_a_fault_of_one_service_of_a_repository_is_not_the_others(mall: Acme) -> None:
    assert faults(mall, "service:web") == {"d3": ("named", ["web-2"]), "d4": ("rollback", ["d5", "web-1"])}
    assert faults(mall, "service:api") == {"d2": ("revert", ["r1"]), "d4": ("rollback", ["d5"])}
    assert [mall.value("change_fail_rate", key) for key in ("web", "api")] == [2 / 5, 2 / 5]
    assert [mall.value("rework_rate", key) for key in ("web", "api")] == [1 / 5, 2 / 5]
    assert incidents.unattributed(mall, "api") == {"api-1"}


def test_what_is_of_no_service_fails_its_repository_alone(mall: Acme) -> None:
    assert faults(mall, "repository:github:mono") == {
        "d2": ("revert", ["r2"]),
        "d3": ("named", ["named"]),
        "d4": ("incident", ["mono-1"]),
    }
    assert faults(mall, "repository:github:stray") == {"d2": ("rollback", ["d3", "s1"])}
    failed = mall.row("change_fail_rate", "mono", level="repository")
    assert (failed["value"], failed["n"]) == (3 / 5, 5)
    assert mall.value("change_fail_rate", "stray", level="repository") == 1 / 3


def test_an_incident_of_nothing_known_is_listed(mall: Acme) -> None:
    rows = mall.query("select incident_id, is_located from marts.incident where rule is null order by 1")
    assert [tuple(row.values()) for row in rows] == [
        ("pagerduty:mono/api-1", True),
        ("pagerduty:mono/lost", False),
    ]


def test_a_service_of_two_repositories_fails_by_what_started_last_in_either(mall: Acme) -> None:
    assert faults(mall, "service:till") == {
        "d1": ("named", ["t3", "t4"]),
        "d2": ("incident", ["t1"]),
        "d3": ("incident", ["t2"]),
    }
    assert mall.value("change_fail_rate", "till") == 3 / 4
    repositories = ("till", "till-lib")
    assert [mall.value("change_fail_rate", key, level="repository") for key in repositories] == [1, 1 / 2]
    # What was reported in the library's repository is not the other's.
    assert [mall.row("time_to_restore", key, level="repository")["n"] for key in repositories] == [3, 4]


def test_failures_are_of_the_team_that_owned_the_service_then(mall: Acme) -> None:
    teams = ("before", "since")
    assert [mall.value("change_fail_rate", team, level="team") for team in teams] == [2 / 3, 1]
    assert [mall.value("time_to_restore", team, level="team") for team in teams] == [30 * 60, 60 * 60]
    recovery = [mall.value("failed_deployment_recovery_time", team, level="team") for team in teams]
    assert recovery == [50_070, None]
    rows = mall.query("select team from marts.fault where service = 'till' order by deployed_at, 1")
    assert [row["team"] for row in rows] == ["before", "before", "since"]


def test_where_jobs_deploy_their_results_are_the_tries(mall: Acme) -> None:
    rate = mall.row("deployment_success_rate", "built", level="repository")
    assert (rate["value"], rate["n"]) == (1 / 2, 2)
