"""The ways to name git repositories, and what they are then called."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from connectors.connector import Covered, Problem
from connectors.git import GitOptions
from connectors.git.cli import Git
from connectors.git.locations import locate, shortest_names
from connectors.records import Commit, Repository
from tests.connectors.contract import Loaded
from tests.connectors.git_reader import listed, of, read, records
from tests.histories import Upstream


def test_every_way_to_name_a_repository(
    upstream: Upstream, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    work = tmp_path / "acme" / "work"
    listed(tmp_path, "clone", "--quiet", str(upstream.path), str(work))
    linked = tmp_path / "linked"
    listed(work, "worktree", "add", "--quiet", "-b", "topic", str(linked))
    (tmp_path / "acme" / "notes").mkdir()
    entries = [
        *("acme/*", "~/acme/shop.git", tmp_path / "acme/../acme/shop.git", f"file://{upstream.path}"),
        *(work, work / ".git", linked),
    ]
    items = read(cache, *entries)
    assert not of(items, Problem)
    assert {(each.id, each.name) for each in records(items, Repository)} == {
        (str(upstream.path), "shop"),
        (str(work), "work"),
    }
    assert len(of(items, Covered)) == 2


@pytest.mark.usefixtures("upstream")
def test_what_is_not_there_is_a_problem_each_and_the_rest_goes_on(cache: Path, tmp_path: Path) -> None:
    (tmp_path / "acme" / "broken.git").mkdir()
    entries = [tmp_path / "gone", tmp_path / "acme", tmp_path / "none/*.git", f"{tmp_path}/acme/*.git"]
    problems = [item for item in read(cache, *entries) if isinstance(item, Problem)]
    assert {(Path(each.scope).name, each.message) for each in problems} == {
        ("gone", "no such folder"),
        ("acme", "not a git repository"),
        ("*.git", "no git repository matches"),
        ("broken.git", "not a git repository"),
    }
    assert all(each.mend for each in problems)
    assert len(records(read(cache, *entries), Commit)) == 1


def test_names_are_the_shortest_that_differ() -> None:
    ids = ["h/a/api", "h/b/api", "/srv/web.git", "h/x/web/core", "h/y/core", "/z/core.git", "/z/core"]
    assert shortest_names(ids) == {
        "h/a/api": "a/api",
        "h/b/api": "b/api",
        "/srv/web.git": "web",
        "h/x/web/core": "web/core",
        "h/y/core": "y/core",
        "/z/core.git": "/z/core.git",
        "/z/core": "/z/core",
    }


def test_a_name_that_no_longer_differs_is_renamed(upstream: Upstream, cache: Path, tmp_path: Path) -> None:
    loaded = Loaded()
    read(cache, upstream.path, loaded=loaded)
    Upstream(tmp_path / "other" / "shop.git").commit()
    read(cache, f"{tmp_path}/*/shop.git", loaded=loaded)
    assert {each.name for each in records(loaded, Repository)} == {"acme/shop", "other/shop"}


@pytest.mark.parametrize(
    ("entry", "id_", "url"),
    [
        ("https://u:p@Host.example:443/a/b.git/", "host.example/a/b", "https://host.example/a/b"),
        ("http://host.example:8080/b", "host.example:8080/b", "http://host.example:8080/b"),
        ("git@host.example:a/b.git", "host.example/a/b", "https://host.example/a/b"),
        ("ssh://git@host.example/a/b.git", "host.example/a/b", "https://host.example/a/b"),
        ("ssh://git@host.example:7999/a/b", "host.example:7999/a/b", "ssh://host.example:7999/a/b"),
        ("git://host.example/b.git", "host.example/b", "git://host.example/b.git"),
    ],
)
def test_ids_and_urls_of_remotes(entry: str, id_: str, url: str) -> None:
    ((location,), problems) = locate([entry, entry], Git())
    assert (location.id, location.url, location.name) == (id_, url, "b")
    assert not problems


@pytest.mark.parametrize(
    "entry",
    [
        "",
        "  ",
        "ext::sh -c touch x",
        "ftp://h/x",
        "https:///x",
        "https://u:s3c/ret@h/x",
        "-oProxyCommand=x:y",
    ],
)
def test_an_entry_nothing_can_be_made_of_is_refused_without_its_secret(entry: str) -> None:
    with pytest.raises(ValidationError) as caught:
        GitOptions(repositories=(entry,))
    assert "s3c" not in str(caught.value)
    assert "ret@" not in str(caught.value)
