"""Snapshots: found by their id or by a link, and kept by whoever has one open."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from pipelines import warehouse
from pipelines.home import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.create()
    return home


def publish(home: Home, number: int) -> str:
    with warehouse.writing(home) as connection:
        connection.execute("create schema if not exists marts; create schema if not exists figures")
        connection.execute(f"create or replace table marts.thing as select {number} as number")
        return warehouse.publish(connection, home, f"{number:012d}")


def numbers(snapshot: warehouse.Snapshot | None) -> list[tuple[int]]:
    assert snapshot
    return snapshot.tuples("from marts.thing")


def linked(home: Home) -> int:
    """What another process reads behind the link."""
    reads = (
        "import duckdb, sys\n"
        "print(duckdb.connect(sys.argv[1], read_only=True).execute('from marts.thing').fetchall()[0][0])"
    )
    command = [sys.executable, "-c", reads, str(home.current_snapshot)]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def test_the_link_leads_to_what_was_published_last(home: Home) -> None:
    assert not home.current_snapshot.exists()
    for number in (1, 2, 3):
        publish(home, number)
        assert linked(home) == number
    # A home that is moved takes its link along.
    moved = home.root.rename(home.root.with_name("moved"))
    assert linked(Home(moved)) == 3


def test_whoever_has_the_link_open_keeps_the_snapshot(home: Home) -> None:
    publish(home, 1)
    with duckdb.connect(home.current_snapshot, read_only=True) as early:
        for number in (2, 3, 4):
            publish(home, number)
        assert early.execute("from marts.thing").fetchall() == [(1,)]
        # In one process, too, the name leads to the new one at once.
        with duckdb.connect(home.current_snapshot, read_only=True) as late:
            assert late.execute("from marts.thing").fetchall() == [(4,)]


def test_nobody_writes_through_the_link(home: Home) -> None:
    publish(home, 1)
    with (
        duckdb.connect(home.current_snapshot, read_only=True) as connection,
        pytest.raises(duckdb.Error, match="read-only"),
    ):
        connection.execute("drop table marts.thing")


def test_a_link_that_was_left_half_made_is_made_anew(home: Home) -> None:
    (home.published / "link.tmp").symlink_to("nowhere")
    publish(home, 1)
    assert linked(home) == 1


def test_a_snapshot_is_found_by_its_id_as_long_as_it_is_kept(home: Home) -> None:
    first, second = publish(home, 1), publish(home, 2)
    assert numbers(warehouse.kept(home, first)) == [(1,)]
    assert numbers(warehouse.kept(home, second)) == [(2,)]
    assert warehouse.kept(home, second) is warehouse.published(home)
    publish(home, 3)
    assert warehouse.kept(home, first) is None
    assert numbers(warehouse.kept(home, second)) == [(2,)]


def test_an_id_leads_nowhere_else(home: Home) -> None:
    publish(home, 1)
    for id_ in ("", "*", "../warehouse", str(home.warehouse), "\x00", "warehouse"):
        assert warehouse.kept(home, id_) is None
