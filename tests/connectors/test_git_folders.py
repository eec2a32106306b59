"""Which folders commits touch, where the settings say how deep to look."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from connectors.connector import Batch, Problem
from connectors.git import GitOptions
from connectors.records import Commit
from tests.connectors.contract import Loaded
from tests.connectors.git_host import GitHost
from tests.connectors.git_reader import listed, of, read, records
from tests.histories import Upstream

Folders = tuple[str, ...] | None


def commit(upstream: Upstream, *paths: str, parents: tuple[str, ...] = (), branch: str = "main") -> str:
    """A commit of a tree that has these files alone, each with the same content."""
    index = upstream.path / "index.of.test"
    index.unlink(missing_ok=True)
    file = upstream.git("hash-object", "-w", "--stdin", stdin="content")
    rows = "".join(f"100644 {file}\t{path}\0" for path in paths)
    upstream.git("--work-tree=.", "update-index", "-z", "--index-info", stdin=rows)
    upstream.tree = upstream.git("write-tree")
    return upstream.commit("a change", *parents, branch=branch)


def folders(cache: Path, upstream: object, depth: int | None, loaded: Loaded | None = None) -> list[Folders]:
    """Of each commit on the way from the first to the last."""
    items = read(cache, upstream, loaded=loaded, folders=depth)
    assert not of(items, Problem)
    found = sorted(records(items, Commit), key=lambda each: each.committed_at or 0)
    return [each.folders for each in found]


@pytest.fixture
def upstream(git_host: GitHost, monkeypatch: pytest.MonkeyPatch) -> Upstream:
    upstream = Upstream(git_host.folder / "shop.git")
    monkeypatch.setenv("GIT_INDEX_FILE", str(upstream.path / "index.of.test"))
    return upstream


@pytest.mark.parametrize(
    ("depth", "first", "second"),
    [
        (1, (".", "docs", "services"), (".", "services")),
        (2, (".", "docs", "services/cart", "services/shop"), (".", "services/cart", "services/till")),
        (3, (".", "docs", "services/cart", "services/shop"), (".", "services/cart", "services/till/src")),
    ],
)
def test_folders_are_those_of_every_path_that_differs_from_the_first_parent(
    upstream: Upstream, cache: Path, depth: int, first: tuple[str, ...], second: tuple[str, ...]
) -> None:
    commit(upstream, "README", "docs/a", "docs/b", "services/cart/main", "services/shop/main")
    # One is new at the top, one moved between services, unchanged.
    commit(upstream, "README", "new", "docs/a", "docs/b", "services/till/src/deep/main", "services/shop/main")
    assert folders(cache, upstream.path, depth) == [first, second]


def test_a_commit_that_changes_nothing_touches_nothing(upstream: Upstream, cache: Path) -> None:
    commit(upstream, "cart/main")
    commit(upstream, "cart/main")
    commit(upstream)
    assert folders(cache, upstream.path, 1) == [("cart",), (), ("cart",)]


def test_a_merge_has_none_and_what_it_merges_its_own(upstream: Upstream, cache: Path) -> None:
    first = commit(upstream, "cart/main")
    second = commit(upstream, "cart/main", "shop/main", parents=(first,), branch="topic")
    third = commit(upstream, "cart/main", "till/main")
    commit(upstream, "cart/main", "shop/main", "till/main", parents=(third, second))
    assert folders(cache, upstream.path, 1) == [("cart",), ("shop",), ("till",), None]


def test_names_of_folders_may_hold_anything(upstream: Upstream, cache: Path) -> None:
    odd = [
        "a b",
        'quo"te',
        "back\\slash",
        "new\nline",
        "caf\u00e9 \U0001f600",
        "\udcff",
        "\x7f\x1b",
        ".x",
        "\n",
    ]
    commit(upstream, *(f"{name}/file" for name in odd), '"', "\n\n")
    (found,) = folders(cache, upstream.path, 1)
    assert found == tuple(sorted([".", "\\xff", *(name for name in odd if name != "\udcff")]))


def test_a_mirror_without_folders_is_made_anew_with_them(
    upstream: Upstream, git_host: GitHost, cache: Path
) -> None:
    commit(upstream, "cart/main")
    url = git_host.url("shop.git")
    loaded = Loaded()
    assert folders(cache, url, None, loaded) == [None]
    (mirror,) = cache.iterdir()
    commit(upstream, "cart/main", "shop/main")
    assert folders(cache, url, 1, loaded) == [("cart",), ("shop",)]
    assert list(cache.iterdir()) == [mirror]
    kinds = listed(mirror, "cat-file", "--batch-all-objects", "--batch-check=%(objecttype)")
    assert set(kinds) == {"commit", "tree"}


def test_another_depth_has_all_commits_read_again_once(
    upstream: Upstream, git_host: GitHost, cache: Path
) -> None:
    commit(upstream, "services/cart/main")
    loaded = Loaded()
    url = git_host.url("shop.git")
    assert folders(cache, url, 1, loaded) == [("services",)]
    assert folders(cache, url, 2, loaded) == [("services/cart",)]
    commit(upstream, "services/cart/main", "docs/a")
    assert folders(cache, url, 2, loaded) == [("docs",)]
    assert folders(cache, url, None, loaded) == [None, None]
    # What came while folders were not read has none in the mirror.
    commit(upstream, "services/cart/main", "docs/a", "docs/b", "till/main")
    assert folders(cache, url, None, loaded) == [None]
    assert folders(cache, url, 2, loaded) == [("services/cart",), ("docs",), ("docs", "till")]
    assert not of(read(cache, url, loaded=loaded, folders=2), Batch)


def test_a_server_without_filters_gives_folders_too(
    upstream: Upstream, git_host: GitHost, cache: Path
) -> None:
    upstream.git("config", "uploadpack.allowFilter", "false")
    commit(upstream, "cart/main")
    assert folders(cache, git_host.url("shop.git"), 1) == [("cart",)]


def test_tags_on_trees_and_files_are_no_matter(upstream: Upstream, cache: Path) -> None:
    commit(upstream, "cart/main")
    upstream.tag("tree", upstream.tree)
    upstream.tag("file", upstream.git("hash-object", "-w", "--stdin", stdin="aside"))
    loaded = Loaded()
    assert folders(cache, upstream.path, 1, loaded) == [("cart",)]
    assert not of(read(cache, upstream.path, loaded=loaded, folders=1), Batch)


@pytest.mark.parametrize("depth", [0, -1])
def test_a_depth_is_at_least_one(depth: int) -> None:
    with pytest.raises(ValidationError, match="greater than or equal to 1"):
        GitOptions(repositories=("/srv/shop.git",), folders=depth)
