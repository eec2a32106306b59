"""GitHub as a source: the contract, what it costs, what is passed over, and what goes wrong midway."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from connectors.connector import (
    Connector,
    Context,
    Covered,
    Item,
    Problem,
    Retained,
)
from connectors.records import Commit, Membership, PipelineRun, PullRequest, Ref, Repository, Team
from demo.world import World
from tests.connectors.contract import ConnectorContract, Loaded, Tool
from tests.connectors.github_host import (
    ADA,
    BOT,
    GRACE,
    TOKEN,
    GitHubHost,
    at,
    deployment,
    github,
    issue,
    of,
    pull_request,
    release,
    repository,
    run,
)


@pytest.fixture
def host(tmp_path: Path) -> Iterator[GitHubHost]:
    with github(tmp_path) as host:
        yield host


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


class GitHubTool(Tool):
    secret = TOKEN

    def __init__(self, host: GitHubHost) -> None:
        self.host = host
        self.number = 10

    def connector(self, cache: Path) -> Connector:
        return self.host.connector(cache)

    def grow(self) -> None:
        self.number += 1
        number, shop = self.number, self.host.shop
        shop.pull_requests[0] = replace(
            shop.pull_requests[0], labels=("late",), updated_at=at(number * 10 + 7)
        )
        shop.pull_requests.append(pull_request(number))
        shop.runs.append(run(number))
        shop.deployments.append(deployment(number, "in_progress", "failure"))
        shop.releases[0] = release(number)
        shop.issues[0] = issue(50, "bug", closed=60)
        shop.issues.append(issue(number + 50, "incident"))

    def spoil(self) -> str:
        self.number += 1
        broken = replace(pull_request(self.number), opened_at=at(-40_000 * 24))
        self.host.shop.pull_requests.append(broken)
        return str(self.number)

    def refuse(self) -> None:
        self.host.token = "another"


class TestContract(ConnectorContract):
    @pytest.fixture
    def tool(self, host: GitHubHost) -> Tool:
        return GitHubTool(host)


def problems(items: list[Item]) -> list[Problem]:
    return [item for item in items if isinstance(item, Problem)]


def covered(items: list[Item]) -> set[str]:
    return {item.scope for item in items if isinstance(item, Covered)}


def nothing_new(items: list[Item]) -> bool:
    return not [item for item in items if not isinstance(item, Covered)]


class TestCost:
    def test_an_unchanged_repository_costs_at_most_one_request(self, host: GitHubHost, cache: Path) -> None:
        for number in range(73, 93):
            made = repository(
                number, f"other-{number}", is_empty=True, runs=[run(1)], deployments=[deployment(1)]
            )
            made.pull_requests = [pull_request(1)]
            host.world.repositories[made.name] = made
        loaded = Loaded()
        host.read(cache, loaded)
        host.forget()
        assert nothing_new(host.read(cache, loaded))
        assert len(host.queries) == 2, "one list of repositories, one of teams"
        assert len(host.received) - len(host.queries) == len(host.world.repositories)

    def test_an_empty_repository_costs_no_more_than_that_at_first(
        self, host: GitHubHost, cache: Path
    ) -> None:
        host.world.repositories.pop("shop")
        host.read(cache)
        assert len(host.queries) == 2
        assert len(host.received) == 3

    def test_the_list_is_paged(self, host: GitHubHost, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("connectors.github.listing.LARGEST_PAGE", 3)
        for number in range(73, 80):
            host.world.repositories[f"r{number}"] = repository(number, f"r{number}", is_empty=True)
        assert len(of(host.read(cache), Repository)) == 9


class TestSelection:
    @pytest.mark.parametrize(
        ("options", "expected"),
        [
            ({}, {"shop", "Sandbox-1"}),
            ({"repositories": ["*", "!sandbox-*"]}, {"shop"}),
            ({"repositories": ["!shop"]}, {"Sandbox-1"}),
            ({"repositories": ["none"]}, set()),
            ({"forks": True}, {"shop", "Sandbox-1", "forked"}),
        ],
    )
    def test_patterns_and_forks(
        self, host: GitHubHost, cache: Path, options: dict[str, Any], expected: set[str]
    ) -> None:
        host.world.repositories = {
            each.name: each
            for each in (
                host.shop,
                repository(81, "Sandbox-1", is_empty=True),
                repository(82, "forked", fork=True, is_empty=True),
            )
        }
        assert {each.name for each in of(host.read(cache, **options), Repository)} == expected

    def test_what_is_not_wanted_any_more_is_not_retained(self, host: GitHubHost, cache: Path) -> None:
        loaded = Loaded()
        host.read(cache, loaded)
        items = host.read(cache, loaded, repositories=["!shop"])
        assert covered(items) == {"72", "teams"}
        assert not [item for item in items if isinstance(item, Retained)]

    def test_an_archived_one_is_read_once(self, host: GitHubHost, cache: Path) -> None:
        loaded = Loaded()
        host.read(cache, loaded)
        host.shop.runs.append(run(9))
        host.shop.archived = True
        items = host.read(cache, loaded)
        assert [each.archived for each in of(loaded, Repository) if each.name == "shop"] == [True]
        assert "5009" in {each.id for each in of(loaded, PipelineRun)}, "what came before it was archived"
        host.forget()
        items = host.read(cache, loaded)
        assert nothing_new(items)
        assert "71" in covered(items)
        assert not [each for each in host.received if "/acme/shop" in each.path]
        host.shop.archived = False
        host.shop.runs.append(run(10))
        host.read(cache, loaded)
        assert "5010" in {each.id for each in of(loaded, PipelineRun)}


class TestChanges:
    def test_a_renamed_repository_stays_itself(self, host: GitHubHost, cache: Path) -> None:
        loaded = Loaded()
        host.read(cache, loaded)
        shop = host.world.repositories.pop("shop")
        host.world.repositories["store"] = shop
        shop.name, shop.former_names = "store", ("shop",)
        shop.pull_requests.append(pull_request(8, repository="store"))
        shop.runs.append(run(8))
        (host.folder / "shop.git").rename(host.folder / "store.git")
        items = host.read(cache, loaded)
        assert not problems(items)
        assert not [item for item in items if isinstance(item, Retained)]
        assert {each.id: each.name for each in of(loaded, Repository)} == {"71": "store", "72": "empty"}
        assert {each.repository for each in of(loaded, PullRequest)} == {"71"}
        assert len(of(loaded, PullRequest)) == 4

    def test_one_renamed_midway_is_followed(self, host: GitHubHost, cache: Path) -> None:
        def before(path: str, _: Any) -> None:
            if "/repos/acme/shop" in path and "shop" in host.world.repositories:
                shop = host.world.repositories.pop("shop")
                host.world.repositories["store"] = shop
                shop.name, shop.former_names = "store", ("shop",)

        host.before = before
        loaded = Loaded()
        items = host.read(cache, loaded)
        assert not problems(items)
        assert len(of(loaded, PipelineRun)) == 4

    def test_one_that_takes_the_name_of_another_is_not_mixed_up_with_it(
        self, host: GitHubHost, cache: Path
    ) -> None:
        def before(_: str, body: Any) -> None:
            if body and "query PullRequests(" in body["query"]:
                host.shop.id = 99

        host.before = before
        items = host.read(cache)
        (problem,) = problems(items)
        assert problem.scope == "71"
        assert "another repository" in problem.message
        assert not of(items, PullRequest)

    def test_a_deleted_or_transferred_one_is_retained(self, host: GitHubHost, cache: Path) -> None:
        loaded = Loaded()
        host.read(cache, loaded)
        del host.world.repositories["shop"]
        items = host.read(cache, loaded)
        (retained,) = [item for item in items if isinstance(item, Retained)]
        assert retained.scope == "71"
        assert "shop" in retained.message
        assert "71" not in covered(items)

    def test_an_emptied_one_loses_its_refs(self, host: GitHubHost, cache: Path) -> None:
        loaded = Loaded()
        host.read(cache, loaded)
        assert len(of(loaded, Commit)) == 1
        assert len(of(loaded, Ref)) == 2
        for ref in ("refs/heads/main", "refs/tags/v1.0.1"):
            host.git("update-ref", "-d", ref)
        host.shop.pushed_at = at(101)
        assert not problems(host.read(cache, loaded))
        assert not of(loaded, Ref)

    def test_commits_are_fetched_after_a_push_alone(self, host: GitHubHost, cache: Path) -> None:
        loaded = Loaded()
        host.read(cache, loaded)
        host.git("tag", "v2.0.0", "main")
        assert nothing_new(host.read(cache, loaded))
        host.shop.pushed_at = at(101)
        host.read(cache, loaded)
        assert "v2.0.0" in {each.name for each in of(loaded, Ref)}

    def test_other_settings_of_commits_have_them_read_again_without_a_push(
        self, host: GitHubHost, cache: Path
    ) -> None:
        loaded = Loaded()
        host.read(cache, loaded)
        assert {each.folders for each in of(loaded, Commit)} == {None}
        host.read(cache, loaded, folders=1)
        assert {each.folders for each in of(loaded, Commit)} == {()}
        host.forget()
        assert nothing_new(host.read(cache, loaded, folders=1))


class TestPeople:
    def test_nothing_personal_is_yielded(self, host: GitHubHost, cache: Path) -> None:
        host.shop.pull_requests.append(pull_request(7, author=BOT, base_ref="ada/secret-topic"))
        host.shop.runs.append(run(7, branch="ghopper/thing"))
        host.shop.deployments.append(deployment(7, ref="ada/secret-topic", environment="review/ada-l"))
        items = host.read(cache)
        said = repr(items).casefold()
        for person in (ADA, GRACE, BOT):
            for secret in (person.login, person.name, person.email):
                assert secret.casefold() not in said
        for text in ("ada/", "ghopper", "Change 1", "It is down", "secret-topic"):
            assert text.casefold() not in said
        files = [path for path in cache.rglob("*") if path.is_file()]
        assert not [path for path in files if b"people.example" in path.read_bytes()]

    def test_teams_have_parents_and_those_who_are_in_them_now(self, host: GitHubHost, cache: Path) -> None:
        loaded = Loaded()
        items = host.read(cache, loaded)
        teams = {each.name: each for each in of(items, Team)}
        assert teams["Web"].parent == teams["Product"].id
        assert {each.kind for each in teams.values()} == {"team"}
        person = Context(cache, b"key").person("ada-l")
        assert of(items, Membership) == [Membership(teams["Web"].id, person, None, None)]
        host.world.memberships.clear()
        host.read(cache, loaded)
        assert not of(loaded, Membership)
        assert len(of(loaded, Team)) == 2

    def test_large_teams_and_many_are_read_whole(
        self, host: GitHubHost, cache: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("connectors.github.teams._TEAMS_AT_ONCE", 2)
        world: World = host.world
        world.people += [replace(ADA, login=f"person-{number}") for number in range(250)]
        web = world.memberships[0]
        world.memberships += [replace(web, login=each.login) for each in world.people]
        world.teams += [
            replace(world.teams[1], slug=f"team-{number}", name=f"T{number}") for number in range(5)
        ]
        items = host.read(cache)
        assert len(of(items, Team)) == 7
        assert len(of(items, Membership)) == 252
