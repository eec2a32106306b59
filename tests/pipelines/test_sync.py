"""The whole job on a real history: against git, again with nothing new, with another at once."""

from __future__ import annotations

import json
import time
from datetime import date
from pathlib import Path

import pytest

from pipelines import figures, status, warehouse
from pipelines.home import Home
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
