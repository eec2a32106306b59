"""The whole job on a real history: against git, again with nothing new, with another at once."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import ClassVar

import pytest
from pydantic import JsonValue

import connectors
from connectors.connector import Connector, Covered, Item, Note, Options, Problem, SourceError
from pipelines import figures, status, warehouse
from pipelines.assets import Run
from pipelines.home import Home
from pipelines.job import run_in_foreground
from pipelines.workspace import SourceConfig
from tests import brute_force
from tests.histories import Upstream, imported
from tests.pipelines.syncing import published_rows, start, sync, workspace


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return imported(tmp_path_factory.mktemp("history") / "sqlite-utils.git")


@pytest.fixture(scope="module")
def synced(history: Path, tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = Home(tmp_path_factory.mktemp("home"))
    assert sync(home, workspace(history)).exitcode == 0
    return home


def test_every_month_is_what_git_says(synced: Home, history: Path) -> None:
    snapshot = warehouse.published(synced)
    assert snapshot
    rows = figures.metric_rows(snapshot, ["deployment_frequency", "change_lead_time"], "service", "month")
    by_metric = {(row["metric"], row["period_start"].isoformat()): row for row in rows}
    wanted = brute_force.monthly(history)
    assert len(wanted) == 26
    months = {month for metric, month in by_metric if metric == "deployment_frequency"}
    for month in months:
        expected = wanted.get(month, {"deployments": 0, "n": 0, "median": None, "negative": 0})
        lead_time = by_metric["change_lead_time", month]
        assert by_metric["deployment_frequency", month]["n"] == expected["deployments"], month
        assert (lead_time["n"], lead_time["value"]) == (expected["n"], expected["median"]), month
        assert lead_time["excluded"].get("negative", 0) == expected["negative"], month
    assert set(wanted) <= months


def test_rows_have_the_keys_of_the_contract_and_can_be_narrowed(synced: Home) -> None:
    snapshot = warehouse.published(synced)
    assert snapshot
    rows = figures.metric_rows(
        snapshot, ["deployments"], "service", "quarter", date(2026, 4, 1), date(2026, 7, 1)
    )
    assert [tuple(row) for row in rows] == [figures.ROW_KEYS]
    assert (rows[0]["period_start"], rows[0]["period_end"]) == (date(2026, 4, 1), date(2026, 7, 1))
    with pytest.raises(KeyError):
        figures.metric_rows(snapshot, ["deployments; drop table"], "service", "month")


def test_a_second_sync_with_nothing_new_publishes_nothing(synced: Home, history: Path) -> None:
    before = (warehouse.current_id(synced), synced.warehouse.read_bytes())
    assert sync(synced, workspace(history)).exitcode == 0
    assert (warehouse.current_id(synced), synced.warehouse.read_bytes()) == before


def test_a_damaged_snapshot_is_published_anew(synced: Home, history: Path) -> None:
    before = (published_rows(synced), warehouse.current_id(synced))
    (synced.published / f"{before[1]}.duckdb").write_bytes(b"rubbish" * 1000)
    assert sync(synced, workspace(history)).exitcode == 0
    assert published_rows(synced) == before[0]
    assert warehouse.current_id(synced) != before[1]


def test_a_change_of_the_workspace_alone_makes_new_figures(synced: Home, history: Path) -> None:
    settings = workspace(history).model_copy(update={"timezone": "Asia/Tokyo"})
    before = published_rows(synced)
    assert sync(synced, settings).exitcode == 0
    assert published_rows(synced)["deployment"] != before["deployment"]
    assert sync(synced, workspace(history)).exitcode == 0
    assert published_rows(synced) == before


def test_a_full_sync_ends_alike(synced: Home, history: Path) -> None:
    before = (published_rows(synced), warehouse.current_id(synced))
    assert sync(synced, workspace(history), is_full=True).exitcode == 0
    assert published_rows(synced) == before[0]
    assert warehouse.current_id(synced) != before[1]


def test_two_syncs_at_once_wait_for_each_other_and_readers_for_neither(history: Path, tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    assert sync(home, workspace(history)).exitcode == 0
    before = published_rows(home)
    both = [start(home, workspace(history), is_full=True) for _ in range(2)]
    answers = 0
    while any(process.is_alive() for process in both):
        assert published_rows(home) == before
        answers += 1
        time.sleep(0.05)
    assert [process.exitcode for process in both] == [0, 0]
    assert (home.root / "waited").exists()
    assert answers > 5
    assert published_rows(home) == before


def test_one_repository_that_fails_leaves_the_others_synced(tmp_path: Path) -> None:
    good, bad = Upstream(tmp_path / "good.git"), Upstream(tmp_path / "bad.git")
    for upstream in (good, bad):
        upstream.commit()
        upstream.tag("1.0.0")
    home = Home(tmp_path / "home")
    settings = workspace(good.path, bad.path)
    assert sync(home, settings).exitcode == 0
    bad.path.rename(tmp_path / "gone")
    good.commit()
    good.tag("1.1.0")
    assert sync(home, settings).exitcode == 0
    source = status.read(home).sources["git"]
    (problem,) = source.problems
    assert "bad.git" in problem.scope
    assert problem.mend
    assert source.succeeded_at
    assert source.succeeded_at < source.attempted_at
    snapshot = warehouse.published(home)
    assert snapshot
    refs = snapshot.rows("select repository, ref from marts.deployment order by all")
    assert [(row["repository"], row["ref"]) for row in refs] == [
        ("bad", "1.0.0"),
        ("good", "1.0.0"),
        ("good", "1.1.0"),
    ]


def test_a_repository_that_was_moved_or_taken_out_leaves_the_figures(tmp_path: Path) -> None:
    here, there = Upstream(tmp_path / "here.git"), Upstream(tmp_path / "there.git")
    for upstream in (here, there):
        upstream.commit()
        upstream.tag("1.0.0")
    home = Home(tmp_path / "home")
    assert sync(home, workspace(here.path, there.path)).exitcode == 0
    moved = here.path.rename(tmp_path / "moved.git")
    assert sync(home, workspace(moved)).exitcode == 0
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
    assert sync(home, one.model_copy(update={"sources": both})).exitcode == 0
    snapshot = warehouse.published(home)
    assert snapshot
    assert len(snapshot.rows("from marts.deployment")) == 1
    assert len(snapshot.rows("from marts.service")) == 1


def test_nothing_personal_is_kept(synced: Home, history: Path) -> None:
    names = {
        line for line in brute_force.git(history, "log", "--all", "--format=%an%n%ae").splitlines() if line
    }
    for path in synced.root.rglob("*"):
        if path.is_file() and synced.mirrors not in path.parents:
            content = path.read_bytes()
            assert [name for name in names if name.encode() in content] == [], path


def test_a_status_that_was_damaged_is_begun_anew(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.status.write_text(json.dumps({"sources": 7}))
    assert status.read(home) == status.Status()


class Moody(Connector):
    """Fails as often as told before it works."""

    kind = "moody"
    streams = ("ref",)
    options_type = Options
    failures: ClassVar[list[Exception]] = []

    def read(self, cursors: Mapping[str, JsonValue]) -> Iterator[Item]:
        assert cursors == {}
        if self.failures:
            raise self.failures.pop()
        yield Covered("x", datetime.now(UTC))

    def check(self) -> Iterator[Problem | Note]:
        yield from ()


@pytest.mark.parametrize(
    ("failures", "error"),
    [
        ([SourceError("time-out", "Wait.", is_transient=True)] * 2, None),
        ([SourceError("time-out", "Wait.", is_transient=True)] * 3, "time-out"),
        ([SourceError("wrong token", "Mend it.")], "wrong token"),
        ([OSError(28, "No space left on device", "/disk")], "No space left on device: /disk"),
        ([ValueError("a fault")], "ValueError in the moody connector"),
    ],
)
def test_a_source_that_fails_is_tried_again_where_that_may_help_and_leaves_the_others_synced(
    failures: list[Exception], error: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = Upstream(tmp_path / "shop.git")
    shop.commit()
    shop.tag("1.0.0")
    types = {"git": connectors.connector_type("git"), "moody": Moody}
    monkeypatch.setattr(connectors, "connector_type", types.__getitem__)
    monkeypatch.setattr(Moody, "failures", failures)
    moody = SourceConfig(kind="moody", name="moody", options=Options())
    settings = workspace(shop.path)
    home = Home(tmp_path / "home")
    run = Run(home, settings.model_copy(update={"sources": (moody, *settings.sources)}), retry_seconds=0)
    assert run_in_foreground(run, source=None, on_wait=lambda: None)
    known = status.read(home).sources["moody"].error
    assert (known and known.message) == error
    assert len(failures) == 0
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
    assert run_in_foreground(run, source="two", on_wait=lambda: None)
    assert [*run.reads] == ["two"]
    snapshot = warehouse.published(home)
    assert snapshot
    assert snapshot.rows("select repository from marts.deployment") == [{"repository": "two"}]
