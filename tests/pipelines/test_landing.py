"""Landing: what is written is whole, in order, and typed."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from connectors.connector import Batch, Quarantined
from connectors.records import Commit, Ref
from pipelines import landing
from pipelines.landing import Landing

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def commit(sha: str, **changed: object) -> Commit:
    return Commit("shop", sha, ("p",), "who", False, AT, AT, "change", None)._replace(**changed)  # type: ignore[arg-type]


def test_a_batch_comes_back_as_it_was_written(tmp_path: Path) -> None:
    odd = Commit("shop", "b", (), "who", True, None, None, "merge", 12)
    Landing(tmp_path, "git").write(Batch("commit", "shop", [commit("a"), odd], cursor={"refs": ["x"]}))
    (file,) = landing.landed(tmp_path)
    assert (file.source, file.stream, file.scope, file.cursor, file.is_whole) == (
        "git", "commit", "shop", {"refs": ["x"]}, False,
    )  # fmt: skip
    assert [
        Commit(**{**row, "parents": tuple(row["parents"])}) for row in pq.read_table(file.path).to_pylist()
    ] == [
        commit("a"),
        odd,
    ]


def test_a_record_that_does_not_fit_its_type_is_handed_back_and_the_others_land(tmp_path: Path) -> None:
    records = [
        commit("fits"),
        commit("wrong", authored_at="yesterday"),
        commit("missing", author=None),
        commit("unprintable", kind="\ud800"),
        commit("fits too"),
    ]
    misfits = Landing(tmp_path, "git").write(Batch("commit", "shop", records))
    assert [(m.stream, m.id) for m in misfits] == [
        ("commit", "shop/wrong"),
        ("commit", "shop/missing"),
        ("commit", "shop/unprintable"),
    ]
    reasons = [misfit.reason for misfit in misfits]
    assert reasons[0] == "authored_at does not fit its type, timestamp[us, tz=UTC]"
    assert reasons[1] == "author is missing"
    (file,) = landing.landed(tmp_path)
    assert pq.read_table(file.path)["sha"].to_pylist() == ["fits", "fits too"]


def test_a_batch_without_records_keeps_its_columns(tmp_path: Path) -> None:
    Landing(tmp_path, "git").write(Batch("ref", "shop", [], is_whole=True))
    (file,) = landing.landed(tmp_path)
    assert file.is_whole
    assert pq.read_schema(file.path).names == list(Ref._fields)


def test_names_stay_in_order_when_the_clock_is_set_back(tmp_path: Path) -> None:
    first = Landing(tmp_path, "git")
    first.write(Batch("commit", "shop", [commit("a")]))
    (early,) = (tmp_path / "git").iterdir()
    future = early.with_name("5" * 20 + "-commit.parquet")
    early.rename(future)
    Landing(tmp_path, "git").write(Batch("commit", "shop", [commit("b")]))
    assert [file.path.name > future.name for file in landing.landed(tmp_path)] == [False, True]


def test_what_is_to_land_soon_lands_in_its_order(tmp_path: Path) -> None:
    writer = Landing(tmp_path, "git")
    for sha in "abc":
        writer.write_soon(Batch("commit", "shop", [commit(sha)], cursor=sha))
    assert list(landing.landed(tmp_path)) == []
    writer.write(Batch("commit", "shop", [commit("d")], cursor="d"))
    writer.write_soon(Batch("commit", "shop", [commit("e")], cursor="e"))
    writer.settle()
    assert [file.cursor for file in landing.landed(tmp_path)] == [*"abcde"]
    for number in range(100):
        writer.write_soon(Batch("commit", "shop", [commit("f")], cursor=number))
    cursors = [file.cursor for file in landing.landed(tmp_path)][5:]
    assert cursors == [*range(len(cursors))]
    assert cursors, "many land by themselves"


def test_what_a_killed_writer_left_is_cleared_and_never_loaded(tmp_path: Path) -> None:
    Landing(tmp_path, "git")
    leftover = tmp_path / "git" / "00000000000000000001-commit.parquet.tmp"
    leftover.write_bytes(b"PAR1 half")
    assert list(landing.landed(tmp_path)) == []
    Landing(tmp_path, "git")
    assert not leftover.exists()


def test_quarantined_records_land_whatever_they_hold(tmp_path: Path) -> None:
    Landing(tmp_path, "git").quarantine([Quarantined("commit", "shop", "\ud800", "x" * 9000)])
    (file,) = landing.landed(tmp_path)
    (row,) = pq.read_table(file.path).to_pylist()
    assert row["id"] == "\\ud800"
    assert len(row["reason"]) == 500


def test_no_writer_takes_the_name_of_anothers_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writers = [Landing(tmp_path, "push", is_shared=True) for _ in range(3)]
    monkeypatch.setattr("time.time_ns", lambda: 7)
    for writer in writers:
        writer.write(Batch("commit", "shop", [commit("a")]))
    names = [file.path.name for file in landing.landed(tmp_path)]
    assert names == [f"{number:020d}-commit.parquet" for number in (7, 8, 9)]


def test_where_others_write_only_what_is_old_is_cleared(tmp_path: Path) -> None:
    Landing(tmp_path, "push", is_shared=True)
    young, old = (tmp_path / "push" / f"{name}.tmp" for name in ("young", "old"))
    for path in (young, old):
        path.write_bytes(b"PAR1 half")
    an_hour_ago = time.time() - 3601
    os.utime(old, (an_hour_ago, an_hour_ago))
    Landing(tmp_path, "push", is_shared=True)
    assert (young.exists(), old.exists()) == (True, False)
