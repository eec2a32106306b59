"""git, read from real repositories: local ones, and over HTTP from git's own server."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.connector import Connector, Problem
from connectors.records import Commit, Ref, Repository
from tests.connectors.contract import ConnectorContract, Loaded, Tool
from tests.connectors.git_host import GitHost
from tests.connectors.git_reader import connector, listed, of, read, records
from tests.histories import Upstream


class GitTool(Tool):
    """A repository behind HTTP basic authentication."""

    secret = "s3cr3t-t0k3n"

    def __init__(self, host: GitHost) -> None:
        self.host = host
        self.host.credentials = ("reader", self.secret)
        self.upstream = Upstream(host.folder / "shop.git")
        self.upstream.hold({"Dockerfile": "FROM alpine:3.20"})
        for number in range(3):
            self.upstream.commit(f"change {number}")
            self.upstream.tag(f"v1.0.{number}", message="a release")

    def connector(self, cache: Path) -> Connector:
        return connector(cache, self.host.url("shop.git", f"reader:{self.secret}"), evidence=True)

    def grow(self) -> None:
        self.upstream.hold({"Dockerfile": "FROM alpine:3.21"})
        self.upstream.commit("one more")
        self.upstream.tag("v1.0.2", message="moved", force=True)
        self.upstream.git("tag", "-d", "v1.0.0")

    def spoil(self) -> str:
        return self.upstream.raw_commit("committer Ada <ada@example.invalid> 1700000000 +0000\n\nno author\n")

    def refuse(self) -> None:
        self.host.credentials = ("reader", "another")


class TestContract(ConnectorContract):
    @pytest.fixture
    def tool(self, git_host: GitHost, monkeypatch: pytest.MonkeyPatch) -> Tool:
        monkeypatch.setattr("connectors.git.reading._BATCH_SIZE", 2)
        return GitTool(git_host)


def test_ssh_is_spoken_by_the_command_of_the_environment(
    upstream: Upstream, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ssh = tmp_path / "ssh"
    ssh.write_text('#!/bin/sh\nif [ "$1" != git@host.example ]; then exit 1; fi\nexec sh -c "$2"\n')
    ssh.chmod(0o700)
    monkeypatch.setenv("GIT_SSH_COMMAND", str(ssh))
    monkeypatch.setenv("GIT_SSH_VARIANT", "simple")
    items = read(cache, f"git@host.example:{upstream.path}")
    assert len(records(items, Commit)) == 1
    assert [each.id for each in records(items, Repository)] == [f"host.example{upstream.path}"[:-4]]


def test_a_server_without_filters_is_read_all_the_same(git_host: GitHost, cache: Path) -> None:
    upstream = Upstream(git_host.folder / "old.git")
    upstream.git("config", "uploadpack.allowFilter", "false")
    upstream.commit()
    loaded = Loaded()
    assert len(records(read(cache, git_host.url("old.git"), loaded=loaded), Commit)) == 1
    upstream.commit()
    read(cache, git_host.url("old.git"), loaded=loaded)
    assert len(records(loaded, Commit)) == 2


def test_nothing_new_costs_one_question(git_host: GitHost, cache: Path) -> None:
    Upstream(git_host.folder / "shop.git").commit()
    loaded = Loaded()
    read(cache, git_host.url("shop.git"), loaded=loaded)
    git_host.requests.clear()
    read(cache, git_host.url("shop.git"), loaded=loaded)
    assert git_host.requests == [
        "/shop.git/info/refs?service=git-upload-pack",
        "/shop.git/git-upload-pack",
    ]


def test_credentials_of_the_url_are_used_and_kept_off_the_disk(git_host: GitHost, cache: Path) -> None:
    git_host.credentials = ("reader", "s3cr@t")
    Upstream(git_host.folder / "shop.git").commit()
    (repository,) = records(read(cache, git_host.url("shop.git", "reader:s3cr%40t")), Repository)
    assert repository.id == f"127.0.0.1:{git_host.server_port}/shop"
    assert repository.url == git_host.url("shop")
    assert not [path for path in cache.rglob("*") if path.is_file() and b"s3cr" in path.read_bytes()]


def test_a_token_alone_is_a_username(git_host: GitHost, cache: Path) -> None:
    git_host.credentials = ("t0k3n", "")
    Upstream(git_host.folder / "shop.git").commit()
    assert len(records(read(cache, git_host.url("shop.git", "t0k3n")), Commit)) == 1
    git_host.credentials = ("another", "")
    assert "t0k3n" not in repr(read(cache, git_host.url("shop.git", "t0k3n")))


PUSHES = st.lists(
    st.tuples(
        st.sampled_from(["commit", "merge", "force", "delete", "tag", "untag", "rename"]),
        st.sampled_from(["main", "topic", "release/1"]),
        st.integers(0, 30),
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=15, deadline=None)
@given(rounds=st.lists(PUSHES, min_size=2, max_size=4))
def test_reading_after_every_round_of_pushes_ends_as_reading_once(
    tmp_path_factory: pytest.TempPathFactory, rounds: list[list[tuple[str, str, int]]]
) -> None:
    folder = tmp_path_factory.mktemp("pushes")
    upstream = Upstream(folder / "shop.git")
    shas = [upstream.commit()]
    loaded = Loaded()
    for number, pushes in enumerate(rounds):
        for push in pushes:
            _push(upstream, shas, *push)
        if number % 2:
            # The next mirror lacks what was force-pushed away, though the cursor names it.
            shutil.rmtree(folder / "cache", ignore_errors=True)
        assert not of(read(folder / "cache", upstream.path, loaded=loaded), Problem)
    fresh = Loaded(read(folder / "fresh", upstream.path))
    assert {*records(loaded, Ref)} == {*records(fresh, Ref)}
    assert records(loaded, Repository) == records(fresh, Repository)
    assert {*records(fresh, Commit)} <= {*records(loaded, Commit)}
    assert {commit.sha for commit in records(fresh, Commit)} == {*listed(upstream.path, "rev-list", "--all")}
    assert loaded.cursors == fresh.cursors


def _push(upstream: Upstream, shas: list[str], what: str, branch: str, number: int) -> None:
    other, tip = shas[number % len(shas)], upstream.tip(branch)
    match what:
        case "commit":
            shas.append(upstream.commit(f"change {number}", branch=branch))
        case "merge" if tip and tip != other:
            shas.append(upstream.commit(f"merge {number}", tip, other, branch=branch))
        case "force":
            upstream.git("update-ref", f"refs/heads/{branch}", other)
        case "delete":
            upstream.git("update-ref", "-d", f"refs/heads/{branch}")
        case "tag":
            upstream.tag(f"v1.0.{number % 3}", other, message="x" if number % 2 else None, force=True)
        case "untag":
            upstream.git("update-ref", "-d", f"refs/tags/v1.0.{number % 3}")
        case "rename":
            upstream.git("symbolic-ref", "HEAD", f"refs/heads/{branch}")
