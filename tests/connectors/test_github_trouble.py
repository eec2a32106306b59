"""GitHub that fails midway: a repository, a permission, the token, the host; the rest goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.connector import (
    Batch,
    Covered,
    Item,
    Problem,
    Quarantined,
    Retained,
    SourceError,
)
from connectors.records import Deployment, PullRequest
from tests.connectors.contract import Loaded
from tests.connectors.github_host import (
    TOKEN,
    GitHubHost,
    at,
    commit,
    deployment,
    github,
    issue,
    of,
    pull_request,
    release,
    repository,
)


@pytest.fixture
def host(tmp_path: Path) -> Iterator[GitHubHost]:
    with github(tmp_path) as host:
        yield host


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def problems(items: list[Item]) -> list[Problem]:
    return [item for item in items if isinstance(item, Problem)]


def covered(items: list[Item]) -> set[str]:
    return {item.scope for item in items if isinstance(item, Covered)}


def nothing_new(items: list[Item]) -> bool:
    return not [item for item in items if not isinstance(item, Covered)]


def failing(part: str, status: int, message: str) -> Callable[[str, Any], tuple[int, Any] | None]:
    """Answers whatever has this in its path with an error."""
    return lambda path, _: (status, {"message": message}) if part in path else None


class TestTrouble:
    @pytest.mark.parametrize("status", [404, 410, 451])
    def test_one_gone_midway_is_its_own_problem(self, host: GitHubHost, cache: Path, status: int) -> None:
        host.before = lambda path, _: (
            (status, {"message": "Gone away"}) if "/repos/acme/shop" in path else None
        )
        items = host.read(cache)
        (problem,) = problems(items)
        assert (problem.scope, problem.is_transient) == ("71", False)
        assert "Gone away" in problem.message
        assert covered(items) == {"72", "teams"}
        assert len(of(items, PullRequest)) == 3, "what was read before stays"

    def test_one_gone_midway_for_graphql(self, host: GitHubHost, cache: Path) -> None:
        def before(_: str, body: Any) -> None:
            if body and "query PullRequests(" in body["query"]:
                host.world.repositories.pop("shop", None)

        host.before = before
        items = host.read(cache)
        (problem,) = problems(items)
        assert problem.scope == "71"
        assert "Could not resolve to a Repository" in problem.message
        assert covered(items) == {"72", "teams"}

    def test_a_forbidden_one_is_its_own_problem(self, host: GitHubHost, cache: Path) -> None:
        host.before = failing("/repos/acme/shop", 403, "Repository access blocked")
        items = host.read(cache)
        (problem,) = problems(items)
        assert problem.scope == "71"
        assert "Repository access blocked" in problem.message
        assert len(of(items, Deployment)) == 2, "the other parts are read"
        assert covered(items) == {"72", "teams"}

    def test_a_permission_that_lacks_everywhere_is_said_once(self, host: GitHubHost, cache: Path) -> None:
        host.before = failing("/actions/runs", 403, "Resource not accessible by personal access token")
        items = host.read(cache, at_once=1)
        (problem,) = problems(items)
        assert problem.scope == "github"
        assert "no pipeline run is read" in problem.message
        assert "Actions" in problem.mend
        assert host.asked("/actions/runs") == 1
        assert len(of(items, PullRequest)) == 3
        assert covered(items) == {"71", "72", "teams"}

    def test_a_permission_that_the_list_lacks_is_left_out_of_it(self, host: GitHubHost, cache: Path) -> None:
        def after(_: str, body: Any, answer: Any) -> Any:
            if body and "query Repositories(" in body["query"] and body["variables"]["deployments"]:
                where = ["repositoryOwner", "repositories", "nodes"]
                answer["data"]["repositoryOwner"]["repositories"]["nodes"] = [None, None]
                said = "Resource not accessible by integration"
                answer["errors"] = [
                    {"type": "FORBIDDEN", "path": [*where, number, "deployments"], "message": said}
                    for number in range(2)
                ]
            return answer

        host.after = after
        items = host.read(cache)
        (problem,) = problems(items)
        assert "no deployment is read" in problem.message
        assert "Deployments" in problem.mend
        assert len(of(items, PullRequest)) == 3
        assert not of(items, Deployment)
        assert covered(items) == {"71", "72", "teams"}

    def test_one_that_the_list_does_not_show_leaves_the_others(self, host: GitHubHost, cache: Path) -> None:
        def after(_: str, body: Any, answer: Any) -> Any:
            if body and "query Repositories(" in body["query"]:
                answer["data"]["repositoryOwner"]["repositories"]["nodes"][1] = None
                where = ["repositoryOwner", "repositories", "nodes", 1]
                said = "Resource protected by organization SAML enforcement."
                answer["errors"] = [{"type": "FORBIDDEN", "path": where, "message": said}]
            return answer

        host.after = after
        items = host.read(cache)
        (problem,) = problems(items)
        assert "SAML" in problem.message
        assert covered(items) == {"71", "teams"}

    def test_one_of_the_list_that_cannot_be_understood_stays_as_it_was(
        self, host: GitHubHost, cache: Path
    ) -> None:
        loaded = Loaded()
        host.read(cache, loaded)

        def after(_: str, body: Any, answer: Any) -> Any:
            if body and "query Repositories(" in body["query"]:
                answer["data"]["repositoryOwner"]["repositories"]["nodes"][0]["pushedAt"] = "soon"
            return answer

        host.after = after
        items = host.read(cache, loaded)
        (quarantined,) = [item for item in items if isinstance(item, Quarantined)]
        assert (quarantined.id, quarantined.reason) == ("71", "pushedAt is no time")
        assert [item.scope for item in items if isinstance(item, Retained)] == ["71"]
        assert covered(items) == {"72", "teams"}

    @pytest.mark.parametrize("query", ["DeploymentsAgain", "Releases", "Incidents", "PullRequestCommits"])
    def test_an_answer_without_a_part_of_it_claims_nothing(
        self, host: GitHubHost, cache: Path, query: str
    ) -> None:
        host.shop.deployments = [deployment(1, "in_progress")]
        host.shop.pull_requests = [pull_request(1, commits=tuple(map(commit, range(150))))]
        loaded = Loaded()
        host.read(cache, loaded)
        host.shop.deployments = [deployment(1, "in_progress", "queued", "success")]
        commits = tuple(map(commit, range(151)))
        host.shop.pull_requests = [pull_request(1, commits=commits, updated_at=at(101))]
        host.shop.releases.append(release(3))
        host.shop.issues.append(issue(70, "incident"))
        host.shop.pushed_at = at(101)

        def after(_: str, body: Any, answer: Any) -> Any:
            if body and f"query {query}(" in body["query"]:
                found = answer["data"].get("repository")
                nothing = {**dict.fromkeys(found), "databaseId": 71} if found else None
                data = {"repository": nothing} if nothing else {"nodes": [None]}
                return {"data": data, "errors": [{"message": "Something is amiss"}]}
            return answer

        host.after = after
        before = dict(loaded.records)
        items = host.read(cache, loaded)
        assert [problem.scope for problem in problems(items)] == ["71"]
        assert before.keys() - loaded.records.keys() == set()
        host.after = lambda *asked: asked[-1]
        host.read(cache, loaded)
        assert loaded.records == Loaded(host.read(cache)).records

    def test_without_the_scope_for_teams_the_rest_is_read(self, host: GitHubHost, cache: Path) -> None:
        def after(_: str, body: Any, answer: Any) -> Any:
            if body and "query Teams(" in body["query"]:
                said = "Your token has not been granted the required scopes to execute this query."
                return {
                    "data": {"organization": None},
                    "errors": [{"type": "INSUFFICIENT_SCOPES", "message": said}],
                }
            return answer

        host.after = after
        items = host.read(cache)
        (problem,) = problems(items)
        assert problem.scope == "teams"
        assert "read:org" in problem.mend
        assert covered(items) == {"71", "72"}

    def test_a_token_that_expires_midway_is_one_problem(self, host: GitHubHost, cache: Path) -> None:
        for number in range(73, 93):
            host.world.repositories[f"r{number}"] = repository(number, f"r{number}", is_empty=True)

        def before(path: str, _: Any) -> None:
            if "/repos/acme/r80/" in path:
                host.token = "another"

        host.before = before
        loaded = Loaded()
        items = host.read(cache, loaded)
        (problem,) = problems(items)
        assert problem.scope == "github"
        assert "401" in problem.message
        assert "Bad credentials" in problem.message
        assert covered(items)
        host.token, host.before = TOKEN, lambda *_: None
        host.read(cache, loaded)
        assert loaded.records == Loaded(host.read(cache)).records

    def test_a_wrong_token_fails_the_source(self, host: GitHubHost, cache: Path) -> None:
        host.token = "another"
        with pytest.raises(SourceError, match="401 Unauthorized: Bad credentials"):
            host.read(cache)

    def test_an_unknown_account_fails_the_source(self, host: GitHubHost, cache: Path) -> None:
        with pytest.raises(SourceError, match="no account nobody"):
            host.read(cache, organization="nobody")

    def test_a_dead_host_fails_the_source(self, host: GitHubHost, cache: Path) -> None:
        with pytest.raises(SourceError, match="refused the connection") as error:
            host.read(cache, url="http://127.0.0.1:9")
        assert error.value.is_transient

    def test_a_host_that_dies_midway_is_few_problems(self, host: GitHubHost, cache: Path) -> None:
        for number in range(73, 93):
            host.world.repositories[f"r{number}"] = repository(number, f"r{number}", is_empty=True)
        host.before = failing("/repos/acme/r8", 429, "Slow down")
        items = host.read(cache)
        (problem,) = problems(items)
        assert problem.is_transient
        assert problem.scope == "github"

    def test_a_failing_repository_is_a_passing_problem(self, host: GitHubHost, cache: Path) -> None:
        host.before = lambda path, _: (
            (502, {"message": "Server Error"}) if "/repos/acme/shop" in path else None
        )
        loaded = Loaded()
        items = host.read(cache, loaded)
        (problem,) = problems(items)
        assert (problem.scope, problem.is_transient) == ("71", True)
        assert covered(items) == {"72", "teams"}
        host.before = lambda *_: None
        assert not problems(host.read(cache, loaded))
        assert loaded.records == Loaded(host.read(cache)).records

    def test_a_list_cut_short_is_read_as_far_as_it_goes(
        self, host: GitHubHost, cache: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("connectors.github.listing.LARGEST_PAGE", 1)
        loaded = Loaded()
        host.read(cache, loaded)
        host.before = lambda _, body: (
            (502, {})
            if body and "query Repositories(" in body["query"] and body["variables"]["after"]
            else None
        )
        items = host.read(cache, loaded)
        (problem,) = problems(items)
        assert "not all repositories are listed" in problem.message
        assert covered(items) == {"71", "teams"}
        assert not [item for item in items if isinstance(item, Retained)]

    def test_a_list_that_is_too_much_is_asked_for_in_smaller_pages(
        self, host: GitHubHost, cache: Path
    ) -> None:
        host.before = lambda _, body: (
            (502, {})
            if body and "query Repositories(" in body["query"] and body["variables"]["first"] > 20
            else None
        )
        items = host.read(cache)
        assert not problems(items)
        assert covered(items) == {"71", "72", "teams"}

    def test_git_that_fails_leaves_the_rest(self, host: GitHubHost, cache: Path) -> None:
        (host.folder / "shop.git").rename(host.folder / "gone.git")
        items = host.read(cache)
        (problem,) = problems(items)
        assert problem.scope == "71"
        assert len(of(items, PullRequest)) == 3

    def test_ending_early_ends_what_is_under_way(self, host: GitHubHost, cache: Path) -> None:
        items = host.connector(cache).read({})
        assert isinstance(next(items), Batch)
        items.close()  # type: ignore[attr-defined]
        assert not [each for each in threading.enumerate() if each.name.startswith("read")]
