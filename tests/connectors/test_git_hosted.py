"""Commits of repositories that a host's API lists: masked branches, cursors, credentials for one host."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from pydantic import SecretStr

from connectors.connector import Batch, Context, SourceError
from connectors.git.hosted import HostedGit
from connectors.records import Commit, Ref
from tests.connectors.contract import Loaded
from tests.connectors.git_host import GitHost
from tests.histories import Upstream

TOKEN = "s3cret-token"


@pytest.fixture
def upstream(git_host: GitHost) -> Upstream:
    git_host.credentials = ("x-access-token", TOKEN)
    upstream = Upstream(git_host.folder / "shop.git")
    upstream.commit("first")
    upstream.tag("v1.0.0")
    for branch in ("release/1.x", "ada.lovelace/shiny-thing"):
        upstream.git("branch", branch)
    return upstream


@pytest.fixture
def hosted(tmp_path: Path) -> HostedGit:
    context = Context(tmp_path / "cache", b"key")
    return HostedGit(context, user="x-access-token", password=SecretStr(TOKEN))


def test_what_is_new_is_read_under_the_hosts_id(
    upstream: Upstream, hosted: HostedGit, git_host: GitHost
) -> None:
    url = git_host.url("shop.git")
    first = list(hosted.read("42", url, None))
    loaded = Loaded(first)
    assert {item.scope for item in first if isinstance(item, Batch)} == {"42"}
    assert {record.repository for record in loaded.records.values() if isinstance(record, Commit)} == {"42"}
    assert not list(hosted.read("42", url, loaded.cursors["42"]))
    upstream.commit("second")
    news = [item for item in hosted.read("42", url, loaded.cursors["42"]) if isinstance(item, Batch)]
    assert [len(item.records) for item in news if item.stream == "commit"] == [1]


def test_branches_that_may_name_people_are_masked(
    upstream: Upstream, hosted: HostedGit, git_host: GitHost
) -> None:
    items = list(hosted.read("42", git_host.url("shop.git"), None))
    names = {record.name for record in Loaded(items).records.values() if isinstance(record, Ref)}
    (masked,) = {name for name in names if name.startswith("~")}
    assert names - {masked} == {"main", "release/1.x", "v1.0.0"}
    assert "lovelace" not in repr(items)


def test_credentials_do_not_follow_a_redirect_to_another_host(
    upstream: Upstream, hosted: HostedGit, git_host: GitHost
) -> None:
    class Redirect(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(302)
            self.send_header("Location", git_host.url("shop.git") + self.path.removeprefix("/moved.git"))
            self.end_headers()

        def log_message(self, *args: object) -> None:
            """Keep quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Redirect) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            with pytest.raises(SourceError) as refused:
                list(hosted.read("42", f"http://127.0.0.1:{server.server_port}/moved.git", None))
        finally:
            server.shutdown()
            thread.join()
    assert TOKEN not in str(refused.value)


def test_a_password_that_is_asked_for_each_time_is_shown_to_git(
    upstream: Upstream, git_host: GitHost, tmp_path: Path
) -> None:
    class Asked(SecretStr):
        def get_secret_value(self) -> str:
            return TOKEN

    git = HostedGit(Context(tmp_path / "cache", b"key"), user="x-access-token", password=Asked(""))
    assert list(git.read("42", git_host.url("shop.git"), None))


def test_a_missing_repository_is_one_line_in_gits_words(hosted: HostedGit, git_host: GitHost) -> None:
    with pytest.raises(SourceError, match="not found"):
        list(hosted.read("7", git_host.url("gone.git"), None))
