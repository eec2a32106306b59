"""What could not be matched is counted and listed, with the share of figures that lack it; never a person."""

from __future__ import annotations

import pytest

from connectors.records import Identity, Membership
from tests.pipelines.acme import Acme
from tests.pipelines.modelled import making
from tests.pipelines.reference.given import Service, Team

_models = making("marts.data_quality", "marts.deployments")


def change(acme: Acme, repository: str, number: int, author: str, folder: str) -> None:
    """A pull request of one commit."""
    sha = f"{repository}{number}"
    acme.commit(repository, sha, "2026-01-05 00:00", folders=(folder,))
    acme.pull_request(repository, number, sha, merged="2026-01-06 00:00", author=author)


@pytest.fixture(scope="module")
def untidy() -> Acme:
    """Two services in one repository, one of them with an owner, and whatever else is left around."""
    acme = Acme(
        services=(
            Service("shop", ("mono",), paths=("shop",), teams=("web",)),
            Service("bank", ("mono",), paths=("bank",)),
        ),
        teams=(Team("web"),),
    )
    acme.add("github", "people", Membership("web", "ada", None, None), Identity("ada at home", "ada"))
    change(acme, "mono", 1, "ada", "shop")
    change(acme, "mono", 2, "ada at home", "bank")
    change(acme, "mono", 3, "bo", "docs")
    change(acme, "mono", 4, "bo", "shop")
    change(acme, "tool", 1, "cy", "tool")
    acme.deploy("mono", "mono1", "2026-01-07 00:00", service="shop")
    acme.deploy("mono", "mono2", "2026-01-08 00:00", service="bank")
    acme.deploy("mono", "mono3", "2026-01-09 00:00", service="ghost")
    acme.deploy("tool", "tool1", "2026-01-09 00:00")
    acme.deploy("mono", "mono4", "2026-01-10 00:00", environment="staging")
    acme.deploy("mono", "mono4", "2026-01-11 00:00", environment="staging")
    acme.deploy("mono", "mono4", None)
    acme.deploy(None, "mono4", "2026-01-12 00:00", service="elsewhere", source="push")
    acme.deploy(None, "mono4", None, status="failed", service="elsewhere", source="push")
    acme.incident("shop", "2026-01-08 00:00")
    for opened in ("2026-01-08 00:00", "2026-01-09 00:00", "2026-01-10 00:00"):
        acme.incident("P9", opened)
    acme.owned("shop", "wobble")
    return acme.build()


def test_each_kind_says_how_many_there_are_and_how_much_they_affect(untidy: Acme) -> None:
    rows = untidy.query(
        "select kind, affects, things, of_things, affected, of_affected from marts.data_quality"
    )
    assert {(row.pop("kind"), row.pop("affects")): (*row.values(),) for row in rows} == {
        ("repository_without_service", "deployments"): (1, 2, 1, 4),
        ("repository_without_service", "changes"): (1, 2, 1, 5),
        ("deployment_without_repository", "deployments"): (1, 6, 1, 6),
        ("deployment_without_commit", "deployments"): (1, 6, 1, 6),
        ("deployment_of_unknown_service", "deployments"): (1, 6, 1, 6),
        ("environment_not_production", "recorded deployments"): (1, 3, 2, 9),
        ("service_without_owner", "deployments"): (1, 2, 2, 4),
        ("unknown_owner", "statements"): (1, 2, 1, 2),
        ("incident_without_service", "incidents"): (3, 4, 3, 4),
        ("change_without_path", "changes"): (1, 5, 1, 5),
        ("author_without_team", "changes"): (2, 4, 3, 5),
    }
    assert untidy.query("select share from marts.data_quality where affects = 'incidents'") == [
        {"share": 0.75}
    ]


def test_each_thing_is_listed_but_no_person(untidy: Acme) -> None:
    rows = untidy.query(
        "select kind, source, name, things, affected from marts.unmapped order by kind, affects"
    )
    assert [(*row.values(),) for row in rows] == [
        ("author_without_team", None, None, 2, 3),
        ("change_without_path", "github", "mono", 1, 1),
        ("deployment_of_unknown_service", "github", "ghost", 1, 1),
        ("deployment_without_commit", "github", "mono", 1, 1),
        ("deployment_without_repository", "push", "elsewhere", 1, 1),
        ("environment_not_production", "github", "staging", 1, 2),
        ("incident_without_service", "pagerduty", "P9", 3, 3),
        ("repository_without_service", "github", "tool", 1, 1),
        ("repository_without_service", "github", "tool", 1, 1),
        ("service_without_owner", None, "bank", 1, 2),
        ("unknown_owner", "github", "shop of wobble", 1, 1),
    ]


def test_where_all_is_in_order_every_count_is_nothing() -> None:
    acme = Acme(services=(Service("shop", ("shop",), teams=("web",)),), teams=(Team("web"),))
    acme.commit("shop", "c0", "2026-01-05 00:00")
    acme.build()
    rows = acme.query("select things, affected, of_affected, share from marts.data_quality")
    # Without any members known, nobody is said to be in no team.
    assert len(rows) == 10
    assert {(row["things"], row["affected"]) for row in rows} == {(0, 0)}
    assert {row["share"] for row in rows if not row["of_affected"]} == {None}
    assert acme.query("from marts.unmapped") == []
