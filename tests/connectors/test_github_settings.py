"""Settings of a GitHub source, the servers they name, and what `cairn doctor` says of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from connectors.connector import (
    Covered,
    Item,
    Note,
    Problem,
)
from connectors.github.options import GitHubOptions
from connectors.records import PullRequest
from tests.connectors.contract import Loaded
from tests.connectors.github_host import (
    TOKEN,
    GitHubHost,
    github,
    of,
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


class TestServers:
    def test_enterprise_server_is_read_alike(self, host: GitHubHost, cache: Path) -> None:
        loaded = Loaded()
        items = host.read(cache, loaded, url=f"{host.url}/api/v3")
        assert not problems(items)
        assert loaded.records == Loaded(host.read(cache)).records
        paths = {each.path for each in host.received if each.path.startswith("/api")}
        assert {"/api/graphql", "/api/v3/repos/acme/shop/actions/runs"} <= paths

    @pytest.mark.parametrize(
        ("url", "git", "expected"),
        [
            ("https://api.github.com", None, "https://github.com/acme/shop.git"),
            ("https://api.acme.ghe.com", None, "https://acme.ghe.com/acme/shop.git"),
            ("https://ghe.example/api/v3", None, "https://ghe.example/acme/shop.git"),
            ("https://ghe.example:8443/api/v3/", None, "https://ghe.example:8443/acme/shop.git"),
            (
                "https://api.github.com",
                "https://git.example/mirrors/",
                "https://git.example/mirrors/shop.git",
            ),
            ("https://api.github.com", "/srv/git", "file:///srv/git/shop.git"),
            ("https://api.github.com", "file:///srv/git", "file:///srv/git/shop.git"),
        ],
    )
    def test_git_clones_from_the_configured_host(self, url: str, git: str | None, expected: str) -> None:
        options = GitHubOptions(organization="acme", url=url, token=SecretStr(TOKEN), git=git)
        assert options.clone_url("acme", "shop") == expected
        assert (options.git_password() is None) is (git is not None)

    def test_a_relative_mirror_begins_at_the_workspaces_folder(self, tmp_path: Path) -> None:
        given = {"organization": "acme", "token": TOKEN, "git": "mirrors"}
        options = GitHubOptions.model_validate(given, context={"folder": tmp_path})
        assert options.clone_url("acme", "shop") == f"file://{tmp_path}/mirrors/shop.git"

    def test_an_app_shows_the_token_of_its_installation(
        self, host: GitHubHost, cache: Path, private_key: str
    ) -> None:
        def before(path: str, _: Any) -> tuple[int, Any] | None:
            if path == "/app/installations/5/access_tokens":
                return 201, {"token": TOKEN, "expires_at": "2099-01-01T00:00:00Z"}
            if path.startswith("/installation/repositories"):
                return 200, {"total_count": 2, "repositories": []}
            return None

        host.before = before
        app = {"id": 7, "installation": 5, "private_key": private_key}
        loaded = Loaded()
        assert not problems(host.read(cache, loaded, token=None, app=app))
        assert len(of(loaded, PullRequest)) == 3
        options = host.options(token=None, app=app, git=None)
        password = options.git_password()
        assert password is not None
        assert password.get_secret_value() == TOKEN
        assert TOKEN not in repr(password)
        assert private_key.splitlines()[1] not in repr(options)
        found = list(host.connector(cache, token=None, app=app).check())
        assert "a GitHub App, installed for 2 repositories" in [each.message for each in found]

    @pytest.fixture
    def private_key(self) -> str:
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import rsa

        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        return key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()


class TestOptions:
    @pytest.mark.parametrize(
        ("wrong", "words"),
        [
            ({"token": None}, "either `token` or `app`"),
            ({"app": {"id": 1, "private_key": "x"}}, "either `token` or `app`"),
            ({"organization": "acme/shop"}, "pattern"),
            ({"url": "https://github.com"}, "https://api.github.com"),
            ({"url": "https://u:p@ghe.example/api/v3"}, "no user"),
            ({"git": "https://u:p@git.example"}, "without user and password"),
            ({"git": "ssh://git.example"}, "https, http or file"),
            ({"hotfix_branches": "("}, "no regular expression"),
            ({"jobs": -1}, "greater than or equal to 0"),
            ({"at_once": 0}, "greater than or equal to 1"),
            ({"unknown": 1}, "Extra inputs"),
        ],
    )
    def test_what_cannot_be_is_refused(self, wrong: dict[str, Any], words: str) -> None:
        with pytest.raises(ValidationError, match=words) as error:
            GitHubOptions.model_validate({"organization": "acme", "token": TOKEN} | wrong)
        assert TOKEN not in str(error.value)


class TestCheck:
    def messages(self, host: GitHubHost, cache: Path, **options: Any) -> tuple[list[str], list[Problem]]:
        found = list(host.connector(cache, **options).check())
        wrong = [each for each in found if isinstance(each, Problem)]
        return [each.message for each in found if isinstance(each, Note)], wrong

    def test_it_says_what_is_read_and_what_is_not(self, host: GitHubHost, cache: Path) -> None:
        host.world.repositories |= {
            "old": repository(81, "old", archived=True, is_empty=True),
            "forked": repository(82, "forked", fork=True, is_empty=True),
            "sandbox": repository(83, "sandbox", is_empty=True),
        }
        said, wrong = self.messages(host, cache, repositories=["*", "!sandbox*", "!nothing-*"])
        assert not wrong
        assert said[0] == "a classic personal access token, scopes: read:org, repo"
        assert said[1].startswith("REST: ")
        assert said[2].startswith("GraphQL: ")
        assert said[3:] == [
            (
                "reads 3 of 5 repositories; left out by the patterns: 1; left out as forks: 1; "
                "archived, and so read only once: 1"
            ),
            "the pattern !nothing-* matches no repository",
        ]
        assert len(host.received) < 10

    def test_scopes_that_lack_are_said(self, host: GitHubHost, cache: Path) -> None:
        host.scopes = ["gist"]
        said, (problem,) = self.messages(host, cache)
        assert "a classic personal access token, scopes: gist" in said
        assert "private repositories are not seen: the token lacks the scope repo" in said
        assert (problem.scope, problem.message) == (
            "teams",
            "no teams are read: the token lacks the scope read:org",
        )

    def test_a_fine_grained_token_is_tried_out(self, host: GitHubHost, cache: Path) -> None:
        host.scopes = None
        lacking = {"message": "Resource not accessible by personal access token"}
        host.before = lambda path, _: (403, lacking) if "/actions/" in path else None
        said, (problem,) = self.messages(host, cache)
        assert said[0] == "a fine-grained personal access token"
        assert "no pipeline run is read" in problem.message
        assert "Actions" in problem.mend

    def test_a_wrong_token_and_a_dead_host_are_a_problem_each(self, host: GitHubHost, cache: Path) -> None:
        host.token = "another"
        _, (problem,) = self.messages(host, cache)
        assert "401" in problem.message
        _, (problem,) = self.messages(host, cache, url="http://127.0.0.1:9")
        assert problem.is_transient

    def test_an_organisations_sign_on_is_said(self, host: GitHubHost, cache: Path) -> None:
        host.headers = [(b"x-github-sso", b"partial-results; organizations=21955855")]
        _, (problem,) = self.messages(host, cache)
        assert "single sign-on" in problem.message
