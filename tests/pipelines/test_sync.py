"""The whole job on a real history: against git, again with nothing new, with another at once."""

from __future__ import annotations

import json
import shutil
import time
from datetime import date
from pathlib import Path

import pytest

from pipelines import figures, status, warehouse
from pipelines.home import Home
from tests import brute_force
from tests.histories import Upstream, imported
from tests.pipelines.syncing import published_rows, start, sync, workspace

LOOKED_AT = (
    "marts.change", "marts.coverage", "marts.deployment", "marts.deployments", "marts.service",
    "marts.workspace",
)  # fmt: skip
"""The models of the short history, with what they rest on; the real one has all."""


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return imported(tmp_path_factory.mktemp("history") / "sqlite-utils.git")


@pytest.fixture(scope="module")
def synced(history: Path, tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = Home(tmp_path_factory.mktemp("home"))
    assert sync(home, workspace(history)).exitcode == 0
    return home


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A history as short as it may be where it only matters that there is one."""
    shop = Upstream(tmp_path_factory.mktemp("short") / "shop.git")
    for version in range(3):
        shop.commit()
        shop.tag(f"1.{version}.0")
    return shop.path


@pytest.fixture(scope="module")
def synced_once(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = Home(tmp_path_factory.mktemp("home"))
    assert sync(home, workspace(shop), models=LOOKED_AT).exitcode == 0
    return home


@pytest.fixture
def home(synced_once: Home, tmp_path: Path) -> Home:
    """`shop`, synced once."""
    return Home(shutil.copytree(synced_once.root, tmp_path / "home"))


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


def test_a_damaged_snapshot_is_published_anew(home: Home, shop: Path) -> None:
    before = (published_rows(home), warehouse.current_id(home))
    (home.published / f"{before[1]}.duckdb").write_bytes(b"rubbish" * 1000)
    assert sync(home, workspace(shop), models=LOOKED_AT).exitcode == 0
    assert published_rows(home) == before[0]
    assert warehouse.current_id(home) != before[1]


def test_a_change_of_the_workspace_alone_makes_new_figures(home: Home, shop: Path) -> None:
    settings = workspace(shop).model_copy(update={"timezone": "Pacific/Kiritimati"})
    before = published_rows(home)
    assert sync(home, settings, models=LOOKED_AT).exitcode == 0
    assert published_rows(home)["deployment"] != before["deployment"]
    assert sync(home, workspace(shop), models=LOOKED_AT).exitcode == 0
    assert published_rows(home) == before


def test_two_full_syncs_at_once_wait_for_each_other_and_readers_for_neither(home: Home, shop: Path) -> None:
    before = (published_rows(home), warehouse.current_id(home))
    both = [start(home, workspace(shop), is_full=True, models=LOOKED_AT) for _ in range(2)]
    answers = 0
    while any(process.is_alive() for process in both):
        snapshot = warehouse.published(home)
        assert snapshot
        assert len(snapshot.rows("from marts.deployment")) == 3
        answers += 1
        time.sleep(0.05)
    assert [process.exitcode for process in both] == [0, 0]
    assert (home.root / "waited").exists()
    assert answers > 1
    assert published_rows(home) == before[0]
    assert warehouse.current_id(home) != before[1]


def test_the_run_is_noted_with_what_came_of_it(synced_once: Home) -> None:
    (run,) = status.read(synced_once).runs
    assert (run.result, run.said, run.snapshot_id) == ("ok", "", warehouse.current_id(synced_once))
    assert run.new > 3
    assert run.run_id


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
