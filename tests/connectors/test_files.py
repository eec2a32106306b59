"""files: which are read, and when they are read again."""

from __future__ import annotations

import json
import os
import resource
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import JsonValue

from connectors.connector import Batch, Connector, Covered, Note, Problem
from connectors.files import rows as files_rows
from connectors.records import Deployment, Record
from tests.connectors.contract import ConnectorContract, Loaded, Tool, scopes
from tests.connectors.files_folder import HEADER, Files, deployment, of, only_problem, refused


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


class FilesTool(Tool):
    secret = "grace@acme.example"

    def __init__(self, folder: Path) -> None:
        self._files = Files(folder)
        self._files.write("deploys.csv", HEADER, *map(deployment, range(1, 5)))
        self._files.write("roster.jsonl", *(json.dumps({"team": t, "who": self.secret}) for t in "ab"))
        incident = {"id": "1", "status": "open", "opened_at": datetime(2026, 1, 1, tzinfo=UTC)}
        pq.write_table(pa.Table.from_pylist([incident] * 2), folder / "incidents.parquet")

    def connector(self, cache: Path) -> Connector:
        self._files.settings = [
            {"path": "deploys*.csv", "record": "deployment"},
            {"path": "roster.jsonl", "record": "membership", "columns": {"person": "who"}},
            {"path": "incidents.parquet", "record": "incident", "mode": "append"},
        ]
        return self._files.connector(cache)

    def grow(self) -> None:
        self._files.write("deploys.csv", HEADER, deployment(1, "failed"), *map(deployment, (2, 4, 5)))

    def spoil(self) -> str:
        self._files.write("deploys-x.csv", HEADER, deployment(6), deployment(7, "splendid"))
        return "deploys-x.csv:3"

    def refuse(self) -> None:
        self._files.write("roster.jsonl", json.dumps({"of": "a", "who": self.secret}))


class TestContract(ConnectorContract):
    @pytest.fixture
    def tool(self, tmp_path: Path) -> Tool:
        return FilesTool(tmp_path)


class TestWhichFiles:
    def test_what_a_glob_matches(self, files: Files) -> None:
        files.write("exports/2026/a.csv", HEADER, deployment(1))
        real = files.write("elsewhere/b.csv", HEADER, deployment(2))
        (files.folder / "exports/2026/b.csv").symlink_to(real)
        (files.folder / "exports/2026/c.csv").mkdir()
        files.write("exports/2026/.hidden.csv", HEADER, deployment(3))
        items = files.read("exports/**/*.csv")
        assert not of(items, Problem)
        assert [record.id for record in files.records()] == ["1", "2"]
        assert scopes(items) == {"deployment exports/**/*.csv"}

    def test_a_name_that_looks_like_a_glob(self, files: Files) -> None:
        files.write("a[1].csv", HEADER, deployment(1))
        files.read("a[1].csv")
        assert len(files.records()) == 1

    @pytest.mark.parametrize("path", ["gone.csv", "gone-*.csv", "/nowhere/at/all/*.csv"])
    def test_nothing_there_is_a_problem_that_takes_nothing_away(self, files: Files, path: str) -> None:
        items = files.read(path)
        assert only_problem(items).scope == f"deployment {path}"
        assert not only_problem(items).is_transient
        assert not of(items, Covered)

    def test_what_is_no_file(self, files: Files) -> None:
        (files.folder / "a.csv").mkdir()
        os.mkfifo(files.folder / "b.csv")
        (files.folder / "c.csv").symlink_to("gone.csv")
        for name, words in (
            ("a.csv", "is a folder"),
            ("b.csv", "is no file"),
            ("c.csv", "is a link to no file"),
        ):
            problem = only_problem(files.read(name))
            assert problem.message == f"{name}: {words}"
            assert not problem.is_transient

    def test_the_later_file_by_name_has_the_last_word(self, files: Files) -> None:
        files.write("b.csv", HEADER, deployment(1, "failed"))
        files.write("a.csv", HEADER, deployment(1), deployment(2), deployment(2, "running"))
        items = files.read("*.csv")
        assert [(r.id, r.status) for r in files.records()] == [("1", "failed"), ("2", "running")]
        assert [note.message for note in of(items, Note)] == ["a.csv: 1 row(s) share id with a later one"]
        for mode in ("whole", "append"):
            files.write("a.csv", HEADER, deployment(1, "skipped"))
            files.read("*.csv", mode=mode)
            assert [r.status for r in files.records() if r.id == "1"] == ["failed"]

    def test_a_name_that_is_no_text(self, files: Files) -> None:
        files.write(os.fsdecode(b"\xff\n.csv"), HEADER, deployment(1), "x")
        items = files.read("*.csv")
        assert list(refused(items)) == ["\\xff\N{REPLACEMENT CHARACTER}.csv:3"]
        json.dumps(files.loaded.cursors).encode()

    def test_files_elsewhere_are_known_by_what_is_configured(
        self, files: Files, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HOME", str(files.folder))
        files.write("exports/a.csv", HEADER, deployment(1))
        assert scopes(files.read("~/exports/*.csv")) == {"deployment ~/exports/*.csv"}
        assert str(files.folder) not in str(files.read("exports/*.csv"))


class TestWhenTheyAreReadAgain:
    def test_a_file_that_nobody_touched_is_not_opened(
        self, files: Files, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        files.write("a.csv", HEADER, deployment(1))
        files.read("a.csv")
        monkeypatch.setattr(Path, "open", None)
        assert [type(item) for item in files.read("a.csv")] == [Covered]

    def test_a_file_of_another_time_and_the_same_content_is_not_news(self, files: Files) -> None:
        path = files.write("a.csv", HEADER, deployment(1))
        files.read("a.csv")
        os.utime(path)
        assert [type(item) for item in files.read("a.csv")] == [Covered]

    def test_a_change_within_the_grain_of_the_clock_is_seen(self, files: Files) -> None:
        path = files.write("a.csv", HEADER, deployment(1))
        os.utime(path)
        at = path.stat().st_mtime_ns
        files.read("a.csv")
        path.write_text(path.read_text().replace("prod", "test"))
        os.utime(path, ns=(at, at))
        files.read("a.csv")
        assert [record.environment for record in files.records()] == ["test"]

    def test_a_setting_that_changes_the_meaning_reads_again(self, files: Files) -> None:
        files.write("a.csv", HEADER.replace("status", "state"), deployment(1))
        files.read("a.csv", columns={"status": {"from": "state"}})
        files.read("a.csv", columns={"status": {"from": "state", "values": {"success": "failed"}}})
        assert [record.status for record in files.records()] == ["failed"]

    def test_what_is_gone_from_whole_files_is_gone(self, files: Files) -> None:
        first = files.write("a.csv", HEADER, deployment(1))
        files.write("b.csv", HEADER, deployment(2), deployment(3))
        files.read("*.csv")
        first.unlink()
        files.read("*.csv")
        assert [record.id for record in files.records()] == ["2", "3"]
        files.write("b.csv", HEADER, deployment(3))
        files.read("*.csv")
        assert [record.id for record in files.records()] == ["3"]

    def test_files_that_append_take_nothing_away(self, files: Files) -> None:
        first = files.write("a.csv", HEADER, deployment(1))
        files.write("b.csv", HEADER, deployment(2), deployment(3))
        files.read("*.csv", mode="append")
        first.unlink()
        files.write("b.csv", HEADER, deployment(3, "failed"))
        files.write("c.csv", HEADER, deployment(4))
        items = files.read("*.csv", mode="append")
        assert [record.id for record in of(items, Batch)[0].records] == ["3", "4"]
        assert [(r.id, r.status) for r in files.records()] == [
            ("1", "success"),
            ("2", "success"),
            ("3", "failed"),
            ("4", "success"),
        ]
        files.write("c.csv", HEADER, deployment(4), deployment(5))
        (batch,) = of(files.read("*.csv", mode="append"), Batch)
        assert [record.id for record in batch.records] == ["4", "5"]

    def test_one_bad_file_takes_nothing_away_and_the_others_are_read(self, files: Files) -> None:
        files.write("a.csv", HEADER, deployment(1))
        files.write("b.csv", HEADER, deployment(2))
        files.read("*.csv")
        files.write("a.csv", HEADER, deployment(3))
        files.write("b.csv", HEADER, deployment(4), '5,"half')
        (files.folder / "b.csv").write_bytes((files.folder / "b.csv").read_bytes()[:-1])
        items = files.read("*.csv")
        problem = only_problem(items)
        assert problem.message == "b.csv: ends in the middle of line 3"
        assert "rename" in problem.mend
        assert not of(items, Covered)
        assert [record.id for record in files.records()] == ["1", "2", "3"]
        files.write("b.csv", HEADER, deployment(4))
        assert of(files.read("*.csv"), Covered)
        assert [record.id for record in files.records()] == ["3", "4"]

    @pytest.mark.parametrize("half", ["2,https", '2,"https', "2,a,b,c,success,"])
    def test_a_csv_file_cut_off_takes_nothing_away(self, files: Files, half: str) -> None:
        files.write("a.csv", HEADER, deployment(1), deployment(2))
        files.read("a.csv")
        files.write("a.csv", "\n".join([HEADER, deployment(1), half]), end="")
        items = files.read("a.csv")
        if half.count(",") < HEADER.count(","):
            assert "ends in the middle of line 3" in only_problem(items).message
            assert len(files.records()) == 2
        else:
            assert list(refused(items)) == ["a.csv:3"]

    def test_a_jsonl_file_cut_off_takes_nothing_away(self, files: Files) -> None:
        rows = [json.dumps({"id": n, "name": "web", "kind": "team"}) for n in range(3)]
        files.write("a.jsonl", *rows)
        files.read("a.jsonl", "team")
        files.write("a.jsonl", "\n".join(rows)[:-9], end="")
        assert "ends in the middle of line 3" in only_problem(files.read("a.jsonl", "team")).message
        assert len(files.records()) == 3

    @pytest.mark.parametrize("rows", [0, 3])
    def test_a_file_written_to_while_it_is_read(
        self, files: Files, monkeypatch: pytest.MonkeyPatch, rows: int
    ) -> None:
        path = files.write("a.csv", HEADER, deployment(1))
        files.read("a.csv")
        files.write("a.csv", HEADER, *map(deployment, range(2, 5)))
        content = "".join(f"{line}\n" for line in [HEADER, *map(deployment, range(5, 5 + rows))])
        self._meanwhile(monkeypatch, lambda: path.write_text(content))
        items = files.read("a.csv")
        problem = only_problem(items)
        assert problem.message == "a.csv: was written to while it was read"
        assert problem.is_transient
        assert [record.id for record in files.records()] == ["1"]

    def test_a_file_replaced_while_it_is_read_is_read_as_it_was(
        self, files: Files, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        files.write("a.csv", HEADER, deployment(1), deployment(2))
        other = files.write("new", HEADER, deployment(3))
        self._meanwhile(monkeypatch, lambda: other.rename(files.folder / "a.csv"))
        assert not of(files.read("a.csv"), Problem)
        assert [record.id for record in files.records()] == ["1", "2"]
        monkeypatch.undo()
        files.read("a.csv")
        assert [record.id for record in files.records()] == ["3"]

    def test_a_file_that_is_gone_again(self, files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
        path = files.write("a.csv", HEADER, deployment(1))
        exists = os.path.lexists

        def vanishes(name: str) -> bool:
            was_there = exists(name)
            path.unlink(missing_ok=True)
            return was_there

        monkeypatch.setattr("connectors.files.connector.os.path.lexists", vanishes)
        problem = only_problem(files.read("a.csv"))
        assert problem.message == "a.csv: is gone again"
        assert problem.is_transient

    def _meanwhile(self, monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object]) -> None:
        """Have something happen after the first row of the next file is read."""
        rows = files_rows.rows

        def interrupted(*arguments: Any) -> Iterator[object]:
            for number, row in enumerate(rows(*arguments)):
                yield row
                if number == 0:
                    happens()

        monkeypatch.setattr(files_rows, "rows", interrupted)

    def test_what_files_say_is_covered_until_they_were_written(self, files: Files) -> None:
        path = files.write("a.csv", HEADER, deployment(1))
        os.utime(path, (1767225600, 1767225600))
        (covered,) = of(files.read("a.csv"), Covered)
        assert covered.at == datetime(2026, 1, 1, tzinfo=UTC)
        os.utime(path, (4e9, 4e9))
        began = datetime.now(UTC)
        (covered,) = of(files.read("a.csv"), Covered)
        assert began <= covered.at <= datetime.now(UTC)
        path = files.write("teams.csv", "id,name,kind", "1,web,team")
        os.utime(path, (1767225600, 1767225600))
        (covered,) = of(files.read("teams.csv", "team"), Covered)
        assert covered.at >= began

    def test_a_cursor_of_another_make_reads_everything(self, files: Files) -> None:
        files.write("a.csv", HEADER, deployment(1))
        scope = "deployment a.csv"
        files.read("a.csv")
        held = files.loaded.cursors[scope]
        assert isinstance(held, dict)
        others: list[JsonValue] = [1, [], {**held, "files": []}, {**held, "files": {"a.csv": 1}}]
        for cursor in others:
            files.loaded = Loaded()
            files.loaded.cursors[scope] = cursor
            files.read("a.csv")
            assert len(files.records()) == 1


class TestLooking:
    def check(self, files: Files, path: str, record: str = "deployment", **settings: object) -> list[Any]:
        files.settings = [{"path": path, "record": record, **settings}]
        return list(files.connector().check())

    def test_what_is_sound(self, files: Files) -> None:
        path = files.write("a.csv", HEADER, deployment(1))
        os.utime(path, (1767225600, 1767225600))
        (note,) = self.check(files, "*.csv")
        assert note == Note("deployment *.csv", "1 file, the last one written at 2026-01-01 00:00 UTC")

    def test_what_will_be_left_out(self, files: Files) -> None:
        files.write("a.csv", HEADER, deployment(1), deployment(2, "splendid"))
        files.write("b.csv", HEADER, deployment(1, "splendid"))
        files.write("c.csv", "x")
        left_out, none, no_column, _ = self.check(files, "*.csv")
        assert isinstance(left_out, Note)
        assert left_out.message.startswith("a.csv: 1 of the first 2 rows will be left out: status is none of")
        assert isinstance(none, Problem)
        assert "b.csv: none of the first 1 row(s) can be used" in none.message
        assert isinstance(no_column, Problem)
        (nothing,) = self.check(files, "gone.csv")
        assert isinstance(nothing, Problem)


def test_memory_does_not_grow_with_the_file(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    row = ",".join(f"{'x' * 100}" for _ in range(3))
    header = "id,name,kind,parent"
    with (files.folder / "a.csv").open("w") as file:
        print(header, file=file)
        for number in range(100_000):
            print(number, row, sep=",", file=file)
    files.settings = [{"path": "a.csv", "record": "team"}]
    count = 0
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for item in files.connector().read({}):
        count += len(item.records) if isinstance(item, Batch) else 0
    assert count == 100_000
    # As records these 30 MB of text would take 60 MB and more.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 40_000


def test_a_large_entry_is_whole_from_its_first_batch_to_its_last(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.files.connector._BATCH_SIZE", 2)
    files.write("a.csv", HEADER, *map(deployment, range(5)))
    batches = of(files.read("a.csv"), Batch)
    assert [(len(b.records), b.is_whole, b.cursor is not None) for b in batches] == [
        (2, True, False),
        (2, False, False),
        (1, False, True),
    ]
    files.write("a.csv", HEADER, *map(deployment, range(3)))
    files.read("a.csv")
    assert len(files.records()) == 3


def test_records_are_typed(files: Files) -> None:
    files.write("a.csv", HEADER, deployment(1))
    files.read("a.csv")
    (record,) = files.records()
    expected: Record = Deployment(
        id="1",
        repository=None,
        repository_url="https://host.example/shop",
        service=None,
        environment="prod",
        is_production=None,
        sha=f"{1:040x}",
        ref=None,
        status="success",
        created_at=datetime(2026, 1, 1, 0, 0, 1, tzinfo=UTC),
        started_at=None,
        finished_at=None,
        url=None,
    )
    assert record == expected


@pytest.mark.parametrize(("mode", "is_snapshot"), [("whole", True), ("append", False)])
def test_a_whole_export_of_states_is_a_snapshot_of_its_time(
    files: Files, mode: str, is_snapshot: bool
) -> None:
    path = files.write(
        "seen.csv", "capability,subject_kind,subject,place,version", "image:python,service,shop,registry,3.12"
    )
    (covered,) = of(files.read("seen.csv", "capability_state", mode=mode), Covered)
    assert (covered.looked_for is not None) == is_snapshot
    assert covered.at == datetime.fromtimestamp(path.stat().st_mtime, UTC)
    assert [(each.capability, each.folders) for each in files.records()] == [("image:python", ())]
