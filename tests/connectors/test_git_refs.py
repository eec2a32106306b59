"""What is read of branches and tags, over git, and what becomes of those that go."""

from __future__ import annotations

from pathlib import Path

from connectors.connector import Batch, Problem
from connectors.records import Commit, Ref, Repository
from tests.connectors.contract import Loaded
from tests.connectors.git_reader import notes, of, read, records, seconds
from tests.histories import Upstream


def test_tags_are_peeled_and_dated_by_the_outer_tagger(upstream: Upstream, cache: Path) -> None:
    sha = upstream.tip("main")
    upstream.tag("light")
    upstream.tag("annotated", message="x")
    annotated_at = upstream.seconds
    upstream.tag("nested", "annotated", message="x")
    nested_at = upstream.seconds
    anonymous = upstream.git(
        *("hash-object", "-t", "tag", "-w", "--literally", "--stdin"),
        stdin=f"object {sha}\ntype commit\ntag anonymous\n\nno tagger\n",
    )
    upstream.git("update-ref", "refs/tags/anonymous", anonymous)
    items = read(cache, upstream.path)
    committed_at = seconds(records(items, Commit)[0].committed_at)
    assert {ref.name: (ref.sha, seconds(ref.at)) for ref in records(items, Ref) if ref.kind == "tag"} == {
        "light": (sha, committed_at),
        "annotated": (sha, annotated_at),
        "nested": (sha, nested_at),
        "anonymous": (sha, committed_at),
    }


def test_tags_on_trees_and_files_are_passed_over_with_a_note(upstream: Upstream, cache: Path) -> None:
    file = upstream.git("hash-object", "-w", "--stdin", stdin="a key")
    aside = upstream.git("mktree", stdin=f"100644 blob {file}\taside\n")
    upstream.tree = upstream.git("mktree", stdin=f"100644 blob {file}\tkey\n")
    upstream.commit("with a tree that the filter leaves out")
    for name, target in (("file", file), ("tree", aside), ("v9.9.9", upstream.tree)):
        upstream.tag(name, target)
        upstream.tag(f"{name}-annotated", target, message="x")
    upstream.tag("v1.0.0")
    loaded = Loaded()
    items = read(cache, upstream.path, loaded=loaded)
    assert {ref.name for ref in records(items, Ref)} == {"main", "v1.0.0"}
    (note,) = notes(items)
    assert note.startswith("tags on no commit, passed over: file, file-annotated, tree")
    assert not of(read(cache, upstream.path, loaded=loaded), Batch)
    upstream.commit("more")
    assert len(records(read(cache, upstream.path, loaded=loaded), Commit)) == 1


def test_moved_and_deleted_tags_are_followed_and_told(upstream: Upstream, cache: Path) -> None:
    upstream.tag("v1.0.0")
    upstream.tag("v1.1.0")
    loaded = Loaded()
    read(cache, upstream.path, loaded=loaded)
    second = upstream.commit("second")
    upstream.tag("v1.0.0", force=True)
    upstream.git("tag", "-d", "v1.1.0")
    items = read(cache, upstream.path, loaded=loaded)
    assert notes(items) == ["tags moved: v1.0.0", "tags deleted: v1.1.0"]
    assert {ref.name: ref.sha for ref in records(loaded, Ref)} == {"main": second, "v1.0.0": second}


def test_a_force_push_and_a_deleted_branch_take_no_commit_away(upstream: Upstream, cache: Path) -> None:
    base = upstream.tip("main")
    lost = [upstream.commit("will be lost"), upstream.commit("aside", branch="topic")]
    loaded = Loaded()
    read(cache, upstream.path, loaded=loaded)
    kept = upstream.commit("instead", base)
    upstream.git("update-ref", "-d", "refs/heads/topic")
    # A branch where a folder of branches was.
    upstream.commit("deeper", base, branch="topic/deeper")
    upstream.git("gc", "--quiet", "--prune=now")
    items = read(cache, upstream.path, loaded=loaded)
    assert not of(items, Problem)
    assert {ref.name: ref.sha for ref in records(loaded, Ref)}["main"] == kept
    assert {*lost, base, kept} < {commit.sha for commit in records(loaded, Commit)}


def test_a_renamed_default_branch_is_followed(upstream: Upstream, cache: Path) -> None:
    loaded = Loaded()
    read(cache, upstream.path, loaded=loaded)
    assert records(loaded, Repository)[0].default_branch == "main"
    upstream.git("branch", "-m", "main", "trunk")
    read(cache, upstream.path, loaded=loaded)
    assert records(loaded, Repository)[0].default_branch == "trunk"
    assert [ref.name for ref in records(loaded, Ref)] == ["trunk"]


def test_a_detached_head_is_read(upstream: Upstream, cache: Path) -> None:
    aside = upstream.commit("aside", upstream.tip("main"), branch=None)
    upstream.git("update-ref", "--no-deref", "HEAD", aside)
    loaded = Loaded()
    read(cache, upstream.path, loaded=loaded)
    assert aside in {commit.sha for commit in records(loaded, Commit)}
    assert records(loaded, Repository)[0].default_branch is None
    assert not of(read(cache, upstream.path, loaded=loaded), Batch)
    upstream.git("symbolic-ref", "HEAD", "refs/heads/main")
    read(cache, upstream.path, loaded=loaded)
    assert records(loaded, Repository)[0].default_branch == "main"


def test_what_hosts_keep_beside_branches_and_tags_is_left_alone(upstream: Upstream, cache: Path) -> None:
    unmerged = upstream.commit("a fork's", upstream.tip("main"), branch=None)
    upstream.git("update-ref", "refs/pull/1/head", unmerged)
    items = read(cache, upstream.path)
    assert unmerged not in {commit.sha for commit in records(items, Commit)}
    assert [ref.name for ref in records(items, Ref)] == ["main"]
