"""What a sync makes of sources that fail, repositories that move, and of one source alone."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

import pytest
from pydantic import JsonValue

import connectors
from connectors.connector import Connector, Covered, Item, Note, Options, Problem, SourceError
from pipelines import status, warehouse
from pipelines.assets import Run
from pipelines.home import Home
from pipelines.job import run_in_foreground
from pipelines.workspace import SourceConfig
from tests.histories import Upstream
from tests.pipelines.modelled import only
from tests.pipelines.syncing import sync, workspace

Synced = tuple[Home, Upstream, Upstream]

READ = ("marts.deployment", "marts.service")
"""The models whose tables are looked at."""


@pytest.fixture(scope="module")
def synced_once(tmp_path_factory: pytest.TempPathFactory) -> Synced:
    folder = tmp_path_factory.mktemp("two")
    good, other = Upstream(folder / "good.git"), Upstream(folder / "other.git")
    for upstream in (good, other):
        upstream.commit()
        upstream.tag("1.0.0")
    home = Home(folder / "home")
    assert sync(home, workspace(good.path, other.path), models=READ).exitcode == 0
    return home, good, other


@pytest.fixture
def synced(synced_once: Synced, tmp_path: Path) -> Iterator[Synced]:
    """A home, and the two repositories synced into it."""
    home, good, other = synced_once
    yield Home(shutil.copytree(home.root, tmp_path / "home")), good, other
    (tmp_path / "moved.git").rename(other.path)


def test_one_repository_that_fails_leaves_the_others_synced(synced: Synced, tmp_path: Path) -> None:
    home, good, other = synced
    other.path.rename(tmp_path / "moved.git")
    good.commit()
    good.tag("1.1.0")
    assert sync(home, workspace(good.path, other.path), models=READ).exitcode == 0
    source = status.read(home).sources["git"]
    (problem,) = source.problems
    assert "other.git" in problem.scope
    assert problem.mend
    assert source.succeeded_at
    assert source.succeeded_at < source.attempted_at
    snapshot = warehouse.published(home)
    assert snapshot
    refs = snapshot.rows("select repository, ref from marts.deployment order by all")
    assert [(row["repository"], row["ref"]) for row in refs] == [
        ("good", "1.0.0"),
        ("good", "1.1.0"),
        ("other", "1.0.0"),
    ]


def test_a_repository_that_was_moved_or_taken_out_leaves_the_figures(synced: Synced, tmp_path: Path) -> None:
    home, _, other = synced
    moved = other.path.rename(tmp_path / "moved.git")
    assert sync(home, workspace(moved), models=READ).exitcode == 0
    snapshot = warehouse.published(home)
    assert snapshot
    assert snapshot.rows("select repository from marts.deployment") == [{"repository": "moved"}]


def test_a_repository_of_two_sources_counts_once(tmp_path: Path) -> None:
    shop = Upstream(tmp_path / "shop.git")
    shop.commit()
    shop.tag("1.0.0")
    one = workspace(shop.path)
    both = tuple(
        source.model_copy(update={"name": name}) for source in one.sources for name in ("te-am", "te_am")
    )
    home = Home(tmp_path / "home")
    assert sync(home, one.model_copy(update={"sources": both}), models=READ).exitcode == 0
    snapshot = warehouse.published(home)
    assert snapshot
    assert len(snapshot.rows("from marts.deployment")) == 1
    assert len(snapshot.rows("from marts.service")) == 1


class Moody(Connector):
    """Fails as often as told before it works."""

    kind = "moody"
    streams = ("ref",)
    options_type = Options
    failures: ClassVar[dict[str, list[Exception]]] = {}
    """Name of the source → what is raised, one a reading."""

    def read(self, cursors: Mapping[str, JsonValue]) -> Iterator[Item]:
        assert cursors == {}
        if self.failures[self.name]:
            raise self.failures[self.name].pop()
        yield Covered("x", datetime.now(UTC))

    def check(self) -> Iterator[Problem | Note]:
        yield from ()


def test_a_source_that_fails_is_tried_again_where_that_may_help_and_leaves_the_others_synced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = Upstream(tmp_path / "shop.git")
    shop.commit()
    shop.tag("1.0.0")
    types = {"git": connectors.connector_type("git"), "moody": Moody}
    monkeypatch.setattr(connectors, "connector_type", types.__getitem__)
    failures: dict[str, list[Exception]] = {
        "slow": [SourceError("time-out", "Wait.", is_transient=True)] * 2,
        "slower": [SourceError("time-out", "Wait.", is_transient=True)] * 3,
        "locked": [SourceError("wrong token", "Mend it.")],
        "full": [OSError(28, "No space left on device", "/disk")],
        "wrong": [ValueError("a fault")],
    }
    monkeypatch.setattr(Moody, "failures", failures)
    moody = [SourceConfig(kind="moody", name=name, options=Options()) for name in failures]
    settings = workspace(shop.path)
    home = Home(tmp_path / "home")
    run = Run(home, settings.model_copy(update={"sources": (*moody, *settings.sources)}), retry_seconds=0)
    with only(*READ):
        assert run_in_foreground(run, source=None, on_wait=lambda: None)
    known = {name: source.error for name, source in status.read(home).sources.items()}
    assert {name: error and error.message for name, error in known.items()} == {
        "slow": None,
        "slower": "time-out",
        "locked": "wrong token",
        "full": "No space left on device: /disk",
        "wrong": "ValueError in the moody connector",
        "git": None,
    }
    assert [*failures.values()] == [[]] * 5
    assert run.snapshot_id


def test_one_source_alone_can_be_synced(tmp_path: Path) -> None:
    one, two = Upstream(tmp_path / "one.git"), Upstream(tmp_path / "two.git")
    sources = []
    for upstream in (one, two):
        upstream.commit()
        upstream.tag("1.0.0")
        sources += [
            s.model_copy(update={"name": upstream.path.stem}) for s in workspace(upstream.path).sources
        ]
    home = Home(tmp_path / "home")
    run = Run(home, workspace(one.path).model_copy(update={"sources": tuple(sources)}))
    with only(*READ):
        assert run_in_foreground(run, source="two", on_wait=lambda: None)
    assert [*run.reads] == ["two"]
    snapshot = warehouse.published(home)
    assert snapshot
    assert snapshot.rows("select repository from marts.deployment") == [{"repository": "two"}]
