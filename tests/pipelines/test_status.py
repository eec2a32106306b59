"""What a sync leaves to be read about it."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from connectors.connector import Problem
from pipelines import annotating, dagster_pages, status
from pipelines.assets import Run
from pipelines.home import Home
from pipelines.ingest import Change
from pipelines.job import _exclusive
from pipelines.reading import SourceRead
from pipelines.status import KEPT_RUNS, SourceStatus, Status, Syncing, SyncRun
from tests.pipelines.syncing import workspace

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path)
    home.create()
    return home


def held(run: Run) -> SyncRun:
    """What is noted of a run in which happened to it what has."""
    with dg.build_resources({"run": _exclusive(lambda: run)}):
        assert status.read(run.home).syncing_since
    assert status.read(run.home).syncing_since is None
    return status.read(run.home).runs[0]


@pytest.fixture
def run(home: Home) -> Run:
    return Run(home, workspace(Path("/srv/git/shop.git")))


def read_of(run: Run, *problems: Problem) -> SourceRead:
    read = SourceRead("git", "git", NOW, ("commit",), problems=[*problems])
    run.reads["git"] = read
    return read


def test_a_run_says_how_long_it_took_and_what_came(run: Run) -> None:
    with run.doing("Reading git"):
        read_of(run)
    run.changes = {("git", "commit"): Change(7, 2, 1), ("git", "ref"): Change(1)}
    run.snapshot_id = "20260302"
    noted = held(run)
    assert (noted.result, noted.said, noted.new, noted.changed) == ("ok", "", 8, 3)
    assert noted.snapshot_id == "20260302"
    assert noted.ended_at
    assert noted.began_at <= noted.ended_at


def test_a_source_or_model_amiss_makes_it_incomplete(run: Run) -> None:
    read_of(run, Problem("shop", "refused", "ask"))
    run.broken = ["marts.change: 2 row(s) break: key"]
    noted = held(run)
    assert noted.result == "incomplete"
    assert noted.said == "Not read completely: git; marts.change: 2 row(s) break: key"


def test_a_stage_that_failed_says_why(run: Run) -> None:
    with pytest.raises(OSError, match="full"), run.doing("Loading"):
        raise OSError("the disk is full\nand more")
    with run.doing("Reading git"):
        pass
    assert (held(run).result, held(run).said) == ("failed", "the disk is full")


def test_a_stage_that_did_not_end_was_interrupted(run: Run) -> None:
    with pytest.raises(KeyboardInterrupt), run.doing("Modelling"):
        raise KeyboardInterrupt
    assert (held(run).result, held(run).said) == ("interrupted", "Modelling did not end")


def test_damaged_annotations_keep_no_figure_from_being_read(run: Run) -> None:
    run.home.annotations.write_text("{")
    run.workspace = run.workspace.model_copy(update={"annotations": ()})
    noted = held(run)
    assert noted.result == "incomplete"
    assert str(run.home.annotations) in noted.said
    with pytest.raises(annotating.AnnotationError):
        annotating.read(run.home)


def test_a_sync_that_was_killed_is_noted_by_the_next(home: Home) -> None:
    killed = subprocess.Popen([sys.executable, "-c", ""])
    killed.wait()
    gone = Syncing(pid=killed.pid, since=NOW, run_id="killed")
    status.write(home, Status(syncing=gone, sources={"git": SourceStatus(kind="git", attempted_at=NOW)}))
    status.begin(home, NOW + timedelta(hours=1), "next")
    noted = status.read(home)
    assert [(each.run_id, each.result, each.ended_at) for each in noted.runs] == [
        ("killed", "interrupted", None)
    ]
    assert noted.syncing
    assert (noted.syncing.run_id, [*noted.sources]) == ("next", ["git"])


def test_the_last_runs_are_kept_the_latest_first(home: Home) -> None:
    for number in range(KEPT_RUNS + 3):
        over = SyncRun(run_id=str(number), began_at=NOW, ended_at=NOW, result="ok")
        status.begin(home, NOW)
        status.end(home, {"git"}, over)
    kept = [int(each.run_id) for each in status.read(home).runs]
    assert kept == [*range(KEPT_RUNS + 2, 2, -1)]


def test_dagsters_address_is_told_as_long_as_its_process_runs(home: Home) -> None:
    assert dagster_pages.address(home) is None
    dagster_pages.announce(home, "http://127.0.0.1:3000", os.getpid())
    assert dagster_pages.address(home) == "http://127.0.0.1:3000"
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        pass
    dagster_pages.announce(home, "http://127.0.0.1:3000", ended.pid)
    assert dagster_pages.address(home) is None
