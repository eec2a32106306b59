"""Rows of real CSV, JSONL and Parquet files: how other tools write them, and what is wrong with some."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from connectors.connector import Batch, Covered, Problem, Quarantined
from connectors.files import rows as files_rows
from tests.connectors.files_folder import HEADER, Files, deployment, of, only_problem, refused


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


class TestCsv:
    @pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
    @pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
    def test_the_writing_of_other_tools(self, files: Files, end: str, delimiter: str, encoding: str) -> None:
        lines = [
            HEADER,
            deployment(1),
            '"two\nlines","a,b;c|d\te","x ""y""","ü",running,2026-01-01T00:00:00Z',
        ]
        swapped = [
            lines[0].replace(",", delimiter),
            lines[1].replace(",", delimiter),
            delimiter.join(
                ['"two\nlines"', '"a,b;c|d\te"', '"x ""y"""', '"ü"', "running", "2026-01-01T00:00:00Z"]
            ),
        ]
        files.write("a.csv", *swapped, end=end, encoding=encoding)
        assert not refused(files.read("a.csv"))
        first, second = files.records()
        assert (first.id, first.sha, first.status) == ("1", f"{1:040x}", "success")
        assert (second.id, second.repository_url, second.environment, second.sha) == (
            "two\nlines",
            "a,b;c|d\te",
            'x "y"',
            "ü",
        )

    def test_a_delimiter_may_be_said(self, files: Files) -> None:
        files.write("a.csv", HEADER.replace(",", ":"), deployment(1).replace("://", "/").replace(",", ":"))
        assert only_problem(files.read("a.csv")).message.startswith("a.csv: has no column `id`")
        row = deployment(1).replace(",", "^")
        files.write("a.csv", HEADER.replace(",", "^"), row)
        files.read("a.csv", delimiter="^")
        assert len(files.records()) == 1

    def test_encodings(self, files: Files) -> None:
        row = deployment(1).replace("prod", "Münster")
        files.write("a.csv", HEADER, row, encoding="latin-1")
        problem = only_problem(files.read("a.csv"))
        assert problem.message == "a.csv: is not utf-8 text"
        assert "encoding" in problem.mend
        assert not files.records()
        for encoding in ("latin-1", "utf-16"):
            files.write("a.csv", HEADER, row, encoding=encoding)
            files.read("a.csv", encoding=encoding)
            assert [record.environment for record in files.records()] == ["Münster"]

    def test_gzip_is_known_by_its_content(self, files: Files) -> None:
        plain = "\n".join([HEADER, deployment(1)]).encode()
        files.write_bytes("a.csv.gz", gzip.compress(plain))
        files.write_bytes("b.csv", gzip.compress(plain.replace(b"\n1,", b"\n2,")))
        files.read("*.csv*", format="csv")
        assert [record.id for record in files.records()] == ["1", "2"]
        files.write_bytes("a.csv.gz", gzip.compress(plain)[:-12])
        assert "is no whole gzip file" in only_problem(files.read("*.csv*", format="csv")).message

    def test_a_header_alone_says_that_there_is_nothing(self, files: Files) -> None:
        files.write("a.csv", HEADER, deployment(1))
        files.read("a.csv")
        files.write("a.csv", HEADER)
        items = files.read("a.csv")
        assert not files.records()
        assert of(items, Covered)
        assert not of(items, Problem)

    @pytest.mark.parametrize("content", ["", "\n", " \n\n"])
    def test_an_empty_file_takes_nothing_away(self, files: Files, content: str) -> None:
        files.write("a.csv", HEADER, deployment(1))
        files.read("a.csv")
        files.write("a.csv", content, end="")
        items = files.read("a.csv")
        assert only_problem(items).message == "a.csv: is empty, without even a header"
        assert not of(items, Covered)
        assert len(files.records()) == 1

    def test_missing_columns_are_one_problem_with_what_is_nearly_called_so(self, files: Files) -> None:
        files.write("a.csv", "ID;Commit Sha;env;state;created", *["1;2;3;4;5"] * 5)
        items = files.read(
            "a.csv", columns={"id": "ID", "sha": "commit sha", "environment": "env", "created_at": "created"}
        )
        problem = only_problem(items)
        assert problem.message == "a.csv: has no column `commit sha` for sha, `status`"
        assert "perhaps `Commit Sha` instead of `commit sha`" in problem.mend
        assert not of(items, Batch)
        assert not of(items, Quarantined)

    def test_a_first_line_that_is_data_is_not_quoted(self, files: Files) -> None:
        files.write("a.csv", "platform,grace@acme.example", "platform,alan@acme.example")
        problem = only_problem(files.read("a.csv", "membership"))
        assert "@" not in problem.message + problem.mend

    def test_a_column_that_is_there_twice(self, files: Files) -> None:
        files.write("a.csv", HEADER + ",status", deployment(1) + ",failed")
        assert only_problem(files.read("a.csv")).message == "a.csv: has two columns `status`"

    def test_bad_rows_are_set_aside_by_line(self, files: Files) -> None:
        files.write(
            "exports/a.csv",
            "",
            HEADER,
            deployment(1),
            "2,too,few",
            '"3\n3",x,prod,,success,2026-01-01',
            "",
            deployment(4) + ",many",
            '5,a,"never closed" ,x,success,2026-01-01',
            "6,x,prod,,success,yesterday",
            "7,x,prod,,grace@acme.example,2026-01-01",
            ",x,prod,,success,2026-01-01",
            deployment(8),
        )
        items = files.read("exports/a.csv", columns={"created_at": {"timezone": "Europe/Berlin"}})
        assert [record.id for record in files.records()] == ["1", "3\n3", "8"]
        assert refused(items) == {
            "a.csv:4": "has 3 fields where the header has 6",
            "a.csv:8": "has 7 fields where the header has 6",
            "a.csv:9": "is no row: ',' expected after '\"'",
            "a.csv:10": "created_at is no time",
            "a.csv:11": "status is none of success, failed, cancelled, skipped, running, unknown",
            "a.csv:12": "id is missing",
        }
        assert of(items, Covered)

    def test_reasons_name_the_column_and_quote_nothing(self, files: Files) -> None:
        files.write("a.csv", "nr;done", "1;grace@acme.example")
        columns = {"id": "nr", "created_at": {"from": "done", "format": "%d.%m.%Y"}}
        constants = {"environment": "prod", "status": "success"}
        items = files.read("a.csv", columns=columns, constants=constants)
        assert refused(items) == {"a.csv:2": "created_at is no time as %d.%m.%Y writes it (column `done`)"}

    def test_a_quote_that_is_never_closed(self, files: Files) -> None:
        files.write("a.csv", HEADER, deployment(1), '2,"x', *map(deployment, range(3, 9)))
        items = files.read("a.csv")
        assert refused(items) == {"a.csv:3": "is no row: unexpected end of data"}
        assert [record.id for record in files.records()] == ["1"]

    def test_a_gigantic_field_costs_its_row_alone(self, files: Files) -> None:
        files.write("a.csv", HEADER, f"1,{'x' * 200_000},prod,,success,2026-01-01", deployment(2))
        assert list(refused(files.read("a.csv"))) == ["a.csv:2"]
        assert [record.id for record in files.records()] == ["2"]

    def test_formulas_and_absurdities_are_data(self, files: Files) -> None:
        ids = ["=HYPERLINK(0)", "-1+1|cmd", "'; drop table x", "🦆", "x" * 10_000]
        files.write("a.csv", HEADER, *(f"{id_},u,prod,,success,2026-01-01" for id_ in ids))
        files.read("a.csv")
        assert [record.id for record in files.records()] == ids


class TestJsonl:
    ROW: ClassVar = {"id": 1, "environment": "prod", "status": "success", "created_at": 1767225600}

    def test_values_of_json(self, files: Files) -> None:
        other = {**self.ROW, "id": 2.0, "is_production": True, "created_at": 1767225600123, "sha": None}
        files.write("a.jsonl", json.dumps(self.ROW), "", json.dumps(other), end="\r\n")
        files.read("a.jsonl")
        first, second = files.records()
        assert (first.id, second.id, second.is_production) == ("1", "2", True)
        assert first.created_at == datetime(2026, 1, 1, tzinfo=UTC)
        assert second.created_at == datetime(2026, 1, 1, 0, 0, 0, 123000, tzinfo=UTC)

    def test_bad_rows_are_set_aside_by_line(self, files: Files) -> None:
        bad = ["{", "[1]", "[" * 100_000, '{"id": {}}', json.dumps({**self.ROW, "id": "\ud800"})]
        files.write("a.jsonl", json.dumps(self.ROW), *bad, json.dumps({**self.ROW, "id": 9}))
        items = files.read("a.jsonl")
        assert refused(items) == {
            "a.jsonl:2": "is no JSON",
            "a.jsonl:3": "is no JSON object",
            "a.jsonl:4": "is no JSON",
            "a.jsonl:5": "id is no text",
            "a.jsonl:6": "id holds a character that is no text",
        }
        assert [record.id for record in files.records()] == ["1", "9"]

    def test_a_required_field_that_no_row_has_is_one_problem(self, files: Files) -> None:
        files.write("a.jsonl", *[json.dumps({**self.ROW, "id": n, "status": None}) for n in range(5)])
        assert len(refused(files.read("a.jsonl"))) == 5
        files.write("a.jsonl", *[json.dumps({"id": n}) for n in range(5)])
        items = files.read("a.jsonl", columns={"status": "state"})
        assert only_problem(items).message == (
            "a.jsonl: has no column `environment`, `state` for status, `created_at`"
        )
        assert not refused(items)

    def test_one_list_is_not_one_object_per_line(self, files: Files) -> None:
        files.write("a.jsonl", json.dumps([self.ROW]))
        problem = only_problem(files.read("a.jsonl"))
        assert problem.message == "a.jsonl: is one JSON list"
        assert "jq" in problem.mend

    def test_a_line_without_end_is_given_up(self, files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(files_rows, "_LONGEST_LINE", 1000)
        files.write("a.jsonl", json.dumps([self.ROW] * 100))
        assert "more than 1,000 characters on line 1" in only_problem(files.read("a.jsonl")).message

    def test_an_empty_file_says_that_there_is_nothing(self, files: Files) -> None:
        files.write("a.jsonl", json.dumps(self.ROW))
        files.read("a.jsonl")
        files.write("a.jsonl")
        assert not of(files.read("a.jsonl"), Problem)
        assert not files.records()


class TestParquet:
    ROW: ClassVar = TestJsonl.ROW

    def write(self, files: Files, table: pa.Table, name: str = "a.parquet") -> None:
        sink = pa.BufferOutputStream()
        pq.write_table(table, sink)
        files.write_bytes(name, sink.getvalue().to_pybytes())

    def test_values_of_parquet(self, files: Files) -> None:
        times = pa.array([1, 1767225600_000000001], pa.timestamp("ns"))
        table = pa.table(
            {
                "id": pa.array([1.0, 2.0]),
                "environment": pa.array(["prod", "test"]).dictionary_encode(),
                "status": pa.array(["success", "FAILED"], pa.large_string()),
                "created_at": pa.array([1, 2], pa.timestamp("ms", "Asia/Tokyo")),
                "started_at": times,
                "finished_at": pa.array([None, 1], pa.date32()),
                "is_production": pa.array([None, True]),
                "sha": pa.array([float("nan"), 3.0]),
                "ignored": pa.array([[1], [2]]),
            }
        )
        self.write(files, table)
        assert not refused(files.read("a.parquet"))
        first, second = files.records()
        assert (first.id, first.environment, first.sha) == ("1", "prod", None)
        assert first.created_at == datetime(1970, 1, 1, 0, 0, 0, 1000, tzinfo=UTC)
        assert (second.status, second.sha, second.is_production) == ("failed", "3", True)
        assert second.finished_at == datetime(1970, 1, 2, tzinfo=UTC)

    def test_pandas_stays_out(self, files: Files) -> None:
        self.write(files, pa.table({"id": pa.array(["1"]), "name": ["x"], "kind": ["team"]}))
        code = (
            "import sys; from pathlib import Path; from connectors.connector import Context;"
            "from connectors.files.connector import FilesConnector, FilesOptions;"
            f"o = FilesOptions.model_validate({{'files': [{{'path': {str(files.folder / 'a.parquet')!r},"
            " 'record': 'team'}]});"
            f"print(len(list(FilesConnector('f', o, Context(Path({str(files.folder)!r}), b'')).read({{}}))),"
            " *{'pandas', 'duckdb'} & sys.modules.keys())"
        )
        run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert run.stdout.split() == ["2"]

    def test_a_value_that_no_calendar_holds_costs_its_row(self, files: Files) -> None:
        ids = ["1", "2", "3"]
        times = pa.array([0, 2**62, 1], pa.timestamp("us"))
        columns = {"id": ids, "environment": ids, "status": ["success"] * 3, "created_at": times}
        self.write(files, pa.table(columns))
        assert refused(files.read("a.parquet")) == {"a.parquet:2": "created_at is no text"}
        assert [record.id for record in files.records()] == ["1", "3"]

    def test_half_a_file_takes_nothing_away(self, files: Files) -> None:
        table = pa.Table.from_pylist(
            [{**self.ROW, "id": str(n), "created_at": n} for n in range(10**9, 10**9 + 9)]
        )
        self.write(files, table)
        files.read("a.parquet")
        whole = (files.folder / "a.parquet").read_bytes()
        for half in (b"", whole[:100], whole[:-4], whole[:4] + bytes(len(whole) - 12) + whole[-8:]):
            files.write_bytes("a.parquet", half)
            assert "a.parquet: is no whole Parquet file" in only_problem(files.read("a.parquet")).message
        assert len(files.records()) == 9

    def test_missing_columns(self, files: Files) -> None:
        self.write(files, pa.table({"id": ["1"], "environment": ["x"]}))
        problem = only_problem(files.read("a.parquet", columns={"sha": "commit"}))
        assert problem.message == "a.parquet: has no column `commit` for sha, `status`, `created_at`"
