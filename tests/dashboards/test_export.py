from __future__ import annotations

import csv
import io

import pandas as pd
import pytest

from dashboards import export


@pytest.mark.parametrize(
    "cell", ["=1+1", "+1", "-1", "@sum", "\tx", "\rx", "\n=x", "\r=x", "=cmd|'/C calc'!A0"]
)
def test_text_is_never_a_formula(cell: str) -> None:
    (row,) = csv.DictReader(io.StringIO(export.csv(pd.DataFrame({"ref": [cell]})).decode(), newline=""))
    assert row["ref"] == "'" + cell


def test_a_line_end_in_a_cell_begins_no_row() -> None:
    text = export.csv(pd.DataFrame({"ref": ["a\r=1", "b\n=1"]})).decode()
    assert [row["ref"] for row in csv.DictReader(io.StringIO(text, newline=""))] == ["a\r=1", "b\n=1"]


def test_numbers_days_and_nothing_stay_what_they_are() -> None:
    frame = pd.DataFrame(
        {
            "value": [-1.5, None],
            "ref": ["v1.0-rc", None],
            "mixed": pd.Series(["a=b", None], dtype=object),
            "at": [pd.Timestamp("2026-01-02T03:04:05Z"), pd.NaT],
        }
    )
    assert export.csv(frame).decode().splitlines() == [
        "value,ref,mixed,at", "-1.5,v1.0-rc,a=b,2026-01-02T03:04:05+0000", ",,,"
    ]  # fmt: skip


def test_a_long_table_is_written_whole() -> None:
    frame = pd.DataFrame({"ref": ["=x"] * 50_000, "n": range(50_000)})
    assert export.csv(frame).count(b"\n'=x,") == 50_000
