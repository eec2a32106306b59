"""Files at HEAD, read over the git protocol: what is fetched, what is new, and what goes wrong."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from connectors.connector import Batch, Context, Covered, Item, Problem, Quarantined
from connectors.git import GitConnector, GitOptions
from connectors.git.cli import Git
from connectors.records import CapabilityState, Commit
from tests.connectors.contract import Loaded
from tests.connectors.git_host import GitHost
from tests.histories import Upstream

WORKFLOW = "jobs: {a: {uses: acme/ci/.github/workflows/d.yml@v2}}"
FILES: dict[str, str | bytes] = {
    "Dockerfile": "FROM acme.example/python:3.12",
    "services/cart/Dockerfile": "FROM acme.example/python:3.11",
    ".github/workflows/ci.yml": WORKFLOW,
    "README.md": "FROM evil:1",
    "big.bin": b"\0" * 100_000,
}


@pytest.fixture
def upstream(git_host: GitHost) -> Upstream:
    upstream = Upstream(git_host.folder / "shop.git")
    upstream.hold(FILES)
    upstream.commit("first")
    return upstream


class Reader:
    """Reads one repository by http, time and again."""

    def __init__(self, url: object, cache: Path) -> None:
        self.url = url
        self.cache = cache
        self.loaded = Loaded()

    def read(self, *, evidence: bool = True, folders: int | None = None) -> list[Item]:
        options = GitOptions(repositories=(str(self.url),), evidence=evidence, folders=folders)
        items = list(GitConnector("git", options, Context(self.cache, b"key")).read(self.loaded.cursors))
        self.loaded.load(items)
        return items

    def seen(self) -> set[tuple[str, str, str | None]]:
        records = self.loaded.records.values()
        return {
            (each.place, each.capability, each.version)
            for each in records
            if isinstance(each, CapabilityState)
        }


@pytest.fixture
def reader(upstream: Upstream, git_host: GitHost, cache: Path) -> Reader:
    return Reader(git_host.url("shop.git"), cache)


SEEN = {
    ("Dockerfile", "image:acme.example/python", "3.12"),
    ("services/cart/Dockerfile", "image:acme.example/python", "3.11"),
    (".github/workflows/ci.yml", "workflow:acme/ci/.github/workflows/d.yml", "v2"),
}


def streams(items: list[Item]) -> list[str]:
    return [item.stream for item in items if isinstance(item, Batch)]


@pytest.fixture
def fetches(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Where each `git fetch` ends, as it is asked for."""
    seen: list[str] = []
    reach = Git.reach

    def noted(self: Git, *arguments: str, **other: Any) -> bytes:
        if "fetch" in arguments:
            seen.append(arguments[-1])
        return reach(self, *arguments, **other)

    monkeypatch.setattr(Git, "reach", noted)
    return seen


@pytest.mark.parametrize("folders", [None, 2])
def test_files_are_fetched_in_one_batch_into_a_mirror_without_any(
    reader: Reader, fetches: list[str], folders: int | None
) -> None:
    items = reader.read(folders=folders)
    assert reader.seen() == SEEN
    assert len(fetches) == (3 if folders is None else 2), "commits, folders where there are none, files"
    (mirror,) = reader.cache.glob("*.git")
    held = subprocess.run(
        ["git", "cat-file", "--batch-check", "--batch-all-objects"],
        cwd=mirror,
        capture_output=True,
        check=True,
    )
    assert held.stdout.decode().count(" blob ") == 3
    assert [item.looked_for for item in items if isinstance(item, Covered)] == ["1"]


def test_only_another_head_with_other_files_is_read(
    reader: Reader, upstream: Upstream, fetches: list[str]
) -> None:
    reader.read()
    fetches.clear()
    assert not streams(reader.read())
    assert not fetches
    upstream.commit(branch="topic")
    reader.read()
    upstream.hold({**FILES, "README.md": "new"})
    upstream.commit("second")
    items = reader.read()
    assert len(fetches) == 3, "commits twice, and the folders of the second"
    assert "capability_state" not in streams(items)
    assert [item.looked_for for item in items if isinstance(item, Covered)] == ["1"]
    upstream.hold({"Dockerfile": "FROM acme.example/python:3.13"})
    upstream.commit("third")
    assert "capability_state" in streams(reader.read())
    assert reader.seen() == {("Dockerfile", "image:acme.example/python", "3.13")}


def test_that_there_is_nothing_is_seen_too(reader: Reader, upstream: Upstream) -> None:
    upstream.hold({})
    upstream.commit("second")
    (batch,) = [
        item for item in reader.read() if isinstance(item, Batch) and item.stream == "capability_state"
    ]
    assert (batch.is_whole, list(batch.records)) == (True, [])


def test_an_empty_repository_is_seen_to_have_nothing(git_host: GitHost, cache: Path) -> None:
    Upstream(git_host.folder / "new.git")
    reader = Reader(git_host.url("new.git"), cache)
    assert "capability_state" in streams(reader.read())
    assert not streams(reader.read())


def test_a_broken_file_is_quarantined_and_the_rest_goes_on(reader: Reader, upstream: Upstream) -> None:
    broken: dict[str, str | bytes] = {
        ".github/workflows/x.yml": "a: [",
        "main.tf": 'module "x" {\n  source =\n}',
        "bin/Dockerfile": b"\xff\0",
    }
    upstream.hold({**FILES, **broken})
    upstream.commit("second")
    items = reader.read()
    quarantined = {(item.id, item.reason) for item in items if isinstance(item, Quarantined)}
    assert quarantined == {
        (".github/workflows/x.yml", "the file is no YAML"),
        ("main.tf", "the file is no Terraform"),
    }
    assert reader.seen() == SEEN
    assert not [item for item in reader.read() if isinstance(item, Quarantined)]


def test_links_submodules_and_odd_names_are_passed_over(reader: Reader, upstream: Upstream) -> None:
    link = upstream.git("hash-object", "-w", "--stdin", stdin="Dockerfile")
    tree = (
        f"120000 blob {link}\tDockerfile.link\n160000 commit {'1' * 40}\tDockerfile.sub\n"
        f"100644 blob {link}\tDockerfile.a\x1bb\n"
    )
    upstream.tree = upstream.git("mktree", "--missing", stdin=tree)
    upstream.commit("second")
    assert not [item for item in reader.read() if isinstance(item, Problem | Quarantined)]
    assert reader.seen() == set()


def test_switched_on_later_no_commit_is_read_again(reader: Reader) -> None:
    reader.read(evidence=False)
    items = reader.read()
    assert "commit" not in streams(items)
    assert reader.seen() == SEEN
    reader.read(evidence=False)
    assert not streams(reader.read(evidence=False))


def test_where_files_cannot_be_had_commits_are_read_all_the_same(
    reader: Reader, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As a server that sends no objects but what branches name.
    monkeypatch.setattr(
        "connectors.git.evidence._FETCH", ("fetch", "--quiet", "--no-tags", "--stdin", "--refuse", "cairn")
    )
    items = reader.read()
    (problem,) = [item for item in items if isinstance(item, Problem)]
    assert problem.message.startswith("its files are not read: ")
    assert [item.looked_for for item in items if isinstance(item, Covered)] == [None]
    assert any(isinstance(each, Commit) for each in reader.loaded.records.values())
    monkeypatch.undo()
    reader.read()
    assert reader.seen() == SEEN


def test_what_is_of_the_repository_itself_is_no_evidence(git_host: GitHost, cache: Path) -> None:
    (git_host.folder / "acme").mkdir()
    upstream = Upstream(git_host.folder / "acme" / "ci.git")
    upstream.hold({".github/workflows/x.yml": WORKFLOW})
    upstream.commit()
    reader = Reader(git_host.url("acme/ci.git"), cache)
    reader.read()
    assert reader.seen() == set()
