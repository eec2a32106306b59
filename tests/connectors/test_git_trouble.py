"""git with damaged repositories, failing hosts, and surroundings that would lead it astray."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from pathlib import Path

import psutil
import pytest

from connectors.connector import Batch, Covered, Problem, SourceError
from connectors.git.cli import GitError
from connectors.records import Commit, Ref, Repository
from tests.connectors.contract import Loaded
from tests.connectors.git_host import GitHost
from tests.connectors.git_reader import connector, listed, notes, of, only_problem, read, records
from tests.histories import Upstream


def test_an_empty_repository_is_noted(tmp_path: Path, cache: Path) -> None:
    upstream = Upstream(tmp_path / "empty.git")
    loaded = Loaded()
    items = read(cache, upstream.path, loaded=loaded)
    assert notes(items) == ["the repository is empty"]
    assert [(each.name, each.default_branch) for each in records(items, Repository)] == [("empty", None)]
    again = read(cache, upstream.path, loaded=loaded)
    assert not of(again, Batch)
    assert of(again, Covered)
    upstream.commit()
    read(cache, upstream.path, loaded=loaded)
    assert len(records(loaded, Commit)) == 1
    assert records(loaded, Repository)[0].default_branch == "main"
    upstream.git("update-ref", "-d", "refs/heads/main")
    read(cache, upstream.path, loaded=loaded)
    assert not records(loaded, Ref)


@pytest.mark.parametrize("is_remote", [False, True])
def test_a_shallow_repository_is_refused(git_host: GitHost, cache: Path, is_remote: bool) -> None:
    whole = Upstream(git_host.folder / "whole.git")
    for _ in range(3):
        whole.commit()
    shallow = git_host.folder / "shallow.git"
    listed(git_host.folder, "clone", "--quiet", "--bare", "--depth=2", f"file://{whole.path}", str(shallow))
    items = read(cache, whole.path, git_host.url("shallow.git") if is_remote else shallow)
    problem = only_problem(items)
    assert "shallow" in problem.message
    assert "git fetch --unshallow" in problem.mend
    assert {each.name for each in records(items, Repository)} == {"whole"}
    assert {item.scope for item in items if isinstance(item, Covered)} == {str(whole.path)}
    assert len(list(cache.iterdir())) == 1


@pytest.mark.parametrize("is_remote", [False, True])
def test_a_corrupt_repository_is_refused_in_gits_words(
    git_host: GitHost, cache: Path, tmp_path: Path, is_remote: bool
) -> None:
    upstream = Upstream(git_host.folder / "shop.git")
    first = upstream.commit()
    upstream.commit()
    lost = upstream.path / "objects" / first[:2] / first[2:]
    lost.chmod(0o600)
    lost.write_bytes(b"nonsense")
    well = Upstream(tmp_path / "well.git")
    well.commit()
    items = read(cache, git_host.url("shop.git") if is_remote else upstream.path, well.path)
    problem = only_problem(items)
    assert Path(problem.scope).stem == "shop"
    assert first in problem.message
    assert "git fsck" in problem.mend
    assert not problem.is_transient
    assert {each.name for each in records(items, Repository)} == {"well"}
    assert {item.scope for item in items if isinstance(item, Covered)} == {str(well.path)}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_folder_of_another_owner_is_refused(upstream: Upstream, cache: Path) -> None:
    for path in [upstream.path, *upstream.path.rglob("*")]:
        os.chown(path, 12345, 12345)
    problem = only_problem(read(cache, upstream.path))
    assert "dubious ownership" in problem.message
    assert "safe.directory" in problem.mend


@pytest.mark.parametrize("damage", ["locks", "objects", "config", "half"])
def test_a_damaged_mirror_is_made_anew(upstream: Upstream, cache: Path, damage: str) -> None:
    for _ in range(3):
        upstream.commit()
    loaded = Loaded()
    read(cache, upstream.path, loaded=loaded)
    (mirror,) = cache.iterdir()
    match damage:
        case "locks":
            (mirror / "packed-refs.lock").touch()
            (mirror / "refs/heads/main.lock").touch()
        case "objects":
            for pack in (mirror / "objects/pack").iterdir():
                pack.unlink()
        case "config":
            (mirror / "config").write_bytes(b"\0\0\0")
        case "half":
            shutil.rmtree(mirror / "refs")
    (cache / "unfinished-killed").mkdir()
    upstream.commit("after")
    items = read(cache, upstream.path, loaded=loaded)
    assert not of(items, Problem)
    assert loaded.records == Loaded(read(cache, upstream.path)).records
    assert list(cache.iterdir()) == [mirror]


def test_a_mirror_with_a_hole_in_its_history_is_made_anew(upstream: Upstream, cache: Path) -> None:
    first = upstream.tip("main")
    for _ in range(2):
        upstream.commit()
    read(cache, upstream.path)
    (mirror,) = cache.iterdir()
    (pack,) = (mirror / "objects/pack").glob("*.pack")
    aside = pack.rename(mirror / "aside.pack")
    for file in (mirror / "objects/pack").iterdir():
        file.unlink()
    with aside.open("rb") as content:
        subprocess.run(["git", "-C", mirror, "unpack-objects", "-q"], stdin=content, check=True)
    (mirror / "objects" / first[:2] / first[2:]).unlink()
    items = read(cache, upstream.path)
    assert not of(items, Problem)
    assert len(records(items, Commit)) == 3


def test_a_failing_host_is_tried_again(git_host: GitHost, cache: Path) -> None:
    Upstream(git_host.folder / "shop.git").commit()
    git_host.failures = 2
    assert len(records(read(cache, git_host.url("shop.git")), Commit)) == 1
    git_host.failures = 1000
    problem = only_problem(read(cache, git_host.url("shop.git")))
    assert problem.is_transient
    assert "503" in problem.message


@pytest.mark.parametrize(
    ("credentials", "name", "words"),
    [(("a", "b"), "shop.git", "could not read Username"), (None, "gone.git", "not found")],
)
def test_a_refusal_is_not_tried_again(
    git_host: GitHost, cache: Path, credentials: tuple[str, str] | None, name: str, words: str
) -> None:
    Upstream(git_host.folder / "shop.git").commit()
    git_host.credentials = credentials
    problem = only_problem(read(cache, git_host.url(name)))
    assert words in problem.message
    assert not problem.is_transient
    assert len(git_host.requests) <= 2


def test_a_silent_host_is_given_up(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.git.mirror._ANSWER_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        problem = only_problem(read(cache, f"http://127.0.0.1:{silent.getsockname()[1]}/shop.git"))
    assert problem.message == "no answer within 0.2 seconds"
    assert problem.is_transient


def test_an_unreachable_host_is_a_problem_of_its_own(upstream: Upstream, cache: Path) -> None:
    items = read(cache, "http://127.0.0.1:9/shop.git", upstream.path)
    problem = only_problem(items)
    assert problem.is_transient
    assert len(records(items, Commit)) == 1
    (told,) = connector(cache, "http://127.0.0.1:9/shop.git").check()
    assert isinstance(told, Problem)


def test_without_git_the_whole_source_fails(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(cache))
    with pytest.raises(SourceError, match="git is not installed"):
        read(cache, "anything")


def test_the_surroundings_do_not_lead_git_astray(
    upstream: Upstream, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Upstream(tmp_path / "other.git")
    other.commit()
    config = tmp_path / "gitconfig"
    config.write_text(
        "[log]\n showSignature = true\n mailmap = true\n[fetch]\n fsckObjects = true\n"
        "[format]\n pretty = oneline\n[color]\n ui = always\n[core]\n hooksPath = /nowhere\n"
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    monkeypatch.setenv("GIT_DIR", str(other.path))
    monkeypatch.setenv("GIT_OBJECT_DIRECTORY", str(other.path / "objects"))
    monkeypatch.setenv("GIT_TRACE", "1")
    untouched = sorted(other.path.rglob("*"))
    (commit,) = records(read(cache, upstream.path), Commit)
    assert sorted(other.path.rglob("*")) == untouched
    monkeypatch.undo()
    assert commit.sha == upstream.tip("main")


def test_stopping_early_ends_what_is_under_way(upstream: Upstream, cache: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/shop.git"
        items = connector(cache, upstream.path, url).read({})
        assert isinstance(next(items), Batch)
        items.close()  # type: ignore[attr-defined]
    commands = [child.cmdline() for child in psutil.Process().children(recursive=True)]
    assert not [command for command in commands if "ls-remote" in command]


def test_a_secret_that_a_host_says_back_is_not_passed_on() -> None:
    error = GitError("remote: bad token s3cr3t\nfatal: https://a:s3cr3t@host.example/x", ["s3cr3t"])
    assert str(error) == "bad token ***; https://host.example/x"
