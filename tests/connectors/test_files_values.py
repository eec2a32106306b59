"""From cells to values: every record through every format; how times, numbers and lists may be written."""

from __future__ import annotations

import csv
import json
import math
import types
import typing
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.connector import Batch, Context, Covered, Quarantined
from connectors.files import FilesConnector
from connectors.files import fields as files_fields
from connectors.files.fields import LIST
from connectors.files.options import FilesOptions
from connectors.files.values import converter
from connectors.parsing import Malformed
from connectors.records import KEYS, STREAMS, Record

WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1).filter(
    lambda said: said == said.strip() and not said.startswith("[")
)
TIMES = st.datetimes(datetime(1970, 1, 1), datetime(2199, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001
HASHES = st.text("0123456789abcdef", min_size=32, max_size=32)


def _values(stream: str, field: files_fields.Field) -> st.SearchStrategy[Any]:
    by_type: dict[object, st.SearchStrategy[Any]] = {
        str: WORDS,
        int: st.integers(-(2**63), 2**63 - 1),
        bool: st.booleans(),
        datetime: TIMES,
        LIST: st.lists(WORDS, max_size=3).map(tuple),
    }
    values = st.sampled_from(field.words) if field.words else by_type[field.type]
    if field.is_person or (stream, field.name) == ("capability_use", "subject"):
        values = HASHES
    if field.is_branch or (stream, field.name) == ("ref", "name"):
        values = st.sampled_from(["main", "release/1.2"])
    if field.is_optional and field.type != LIST:
        values = st.none() | values
    return values


def _records(stream: str) -> st.SearchStrategy[list[Record]]:
    fields = files_fields.fields(stream)
    record: st.SearchStrategy[Any] = st.builds(
        STREAMS[stream], **{name: _values(stream, field) for name, field in fields.items()}
    )
    key = KEYS[stream]
    return st.lists(record, min_size=1, max_size=4, unique_by=lambda r: tuple(getattr(r, k) for k in key))


def _write(path: Path, stream: str, records: Sequence[Record]) -> None:
    rows = [record._asdict() for record in records]
    if path.suffix == ".parquet":
        of_type: dict[object, Any] = {
            datetime: pa.timestamp("us", "UTC"),
            LIST: pa.list_(pa.string()),
            int: pa.int64(),
        }
        of_type |= {str: pa.string(), bool: pa.bool_()}
        columns = [(name, of_type[field.type]) for name, field in files_fields.fields(stream).items()]
        pq.write_table(pa.Table.from_pylist(rows, pa.schema(columns)), path)
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row, default=str) + "\n" for row in rows))
    else:
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, rows[0], restval="")
            writer.writeheader()
            for row in rows:
                lists = {name: json.dumps(value) for name, value in row.items() if isinstance(value, tuple)}
                writer.writerow(row | lists)


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
@pytest.mark.parametrize("stream", STREAMS)
def test_every_record_comes_back_from_every_format(
    stream: str, suffix: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("files")
    path = folder / f"a.{suffix}"
    options = FilesOptions.model_validate(
        {"files": [{"path": str(path), "record": stream, "persons": "keep"}]}
    )
    connector = FilesConnector("files", options, Context(folder / "cache", b"key"))

    @settings(max_examples=20, deadline=None)
    @given(_records(stream))
    def comes_back(records: list[Record]) -> None:
        _write(path, stream, records)
        batch, covered = connector.read({})
        assert isinstance(batch, Batch)
        assert isinstance(covered, Covered)
        assert list(batch.records) == records

    comes_back()


def test_the_records_types_are_those_that_a_file_can_hold() -> None:
    for stream, record in STREAMS.items():
        for name, hint in typing.get_type_hints(record).items():
            field = files_fields.fields(stream)[name]
            is_nullable = isinstance(hint, types.UnionType)
            assert field.is_optional == (is_nullable or field.type == LIST)


AT = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("cell", "settings_"),
    [
        ("2026-03-29T01:30:00Z", {}),
        (" 2026-03-29 01:30 ", {}),
        ("2026-03-29 01:30:00.000 UTC", {}),
        ("2026-03-29 01:30:00+00", {}),
        ("20260329T013000Z", {}),
        ("2026-03-28T20:30:00-05:00", {}),
        ("2026-03-29T03:30:00", {"timezone": "Europe/Berlin"}),
        ("2026-03-29T01:30:00+00:00", {"timezone": "Europe/Berlin"}),
        ("29.03.2026 03:30", {"format_": "%d.%m.%Y %H:%M", "timezone": "Europe/Berlin"}),
        ("29/Mar/2026 01:30 +0000", {"format_": "%d/%b/%Y %H:%M %z", "timezone": "Asia/Tokyo"}),
        ("1774747800", {}),
        ("1774747800000", {}),
        (1774747800, {}),
        (1774747800.0, {"timezone": "Asia/Tokyo"}),
        (1774747800000, {}),
        (Decimal("1774747800.000"), {}),
        (AT.astimezone(timezone(timedelta(hours=9))), {}),
        (AT, {"timezone": "Asia/Tokyo"}),
        (AT.replace(tzinfo=None), {}),
    ],
)
def test_times(cell: object, settings_: dict[str, str]) -> None:
    assert converter(datetime, **settings_)(cell) == AT


def test_days_begin_where_the_timezone_says() -> None:
    berlin = converter(datetime, timezone="Europe/Berlin")
    assert berlin("2026-03-30") == berlin(date(2026, 3, 30)) == datetime(2026, 3, 29, 22, tzinfo=UTC)
    assert converter(datetime)("20260330") == datetime(2026, 3, 30, tzinfo=UTC)


def test_hours_that_clocks_skip_or_repeat_are_times() -> None:
    berlin = converter(datetime, timezone="Europe/Berlin")
    assert berlin("2026-03-29 02:30") - AT in (timedelta(0), timedelta(hours=-1))
    assert berlin("2026-10-25 02:30") == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "cell",
    [
        *("yesterday", "29.03.2026", "2026-13-01", "2026-03-29T25:00", "12", "9" * 400, "-1774747800"),
        *("1969-12-31", "2200-01-01", "9999-12-31T23:59:59-12:00", datetime(9999, 12, 31, 23)),  # noqa: DTZ001
        *(True, 10**17, math.inf, [1], {}, b"x"),
    ],
)
def test_what_is_no_time(cell: object) -> None:
    with pytest.raises(Malformed):
        converter(datetime, timezone="America/New_York")(cell)


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("12", 12),
        (" -3 ", -3),
        ("+4", 4),
        ("5.0", 5),
        (6.0, 6),
        (7, 7),
        (Decimal("8.00"), 8),
        (2**63 - 1, 2**63 - 1),
    ],
)
def test_numbers(cell: object, number: int) -> None:
    assert converter(int)(cell) == number


@pytest.mark.parametrize(
    "cell", ["1.5", "1e3", "1_000", "٣x", "0x1", 2**63, 1.5, True, math.inf, [1], "NULL"]
)
def test_what_is_no_number(cell: object) -> None:
    with pytest.raises(Malformed):
        converter(int)(cell)


def test_yes_and_no() -> None:
    read = converter(bool)
    assert [read(cell) for cell in ("true", "YES", "t", "1", 1, True, "on", 1.0)] == [True] * 8
    assert [read(cell) for cell in ("False", "no", "N", "0", 0, False, "off", 0.0)] == [False] * 8
    for cell in ("maybe", 2, "ja"):
        with pytest.raises(Malformed, match="is neither yes nor no"):
            read(cell)


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("a, b,,c ", ("a", "b", "c")),
        ('["a, b", "c", null, ""]', ("a, b", "c")),
        (["a", None, 1], ("a", "1")),
        (("a",), ("a",)),
        (7, ("7",)),
    ],
)
def test_lists(cell: object, words: tuple[str, ...]) -> None:
    assert converter(LIST)(cell) == words


def test_what_stands_between_the_parts_of_a_list_may_be_said() -> None:
    assert converter(LIST, separator="; ")("a, b; c") == ("a, b", "c")


@pytest.mark.parametrize("cell", ["[1, ", "[[1]]", '["\\ud800"]', [{}], "[" * 100_000])
def test_what_is_no_list(cell: object) -> None:
    with pytest.raises(Malformed):
        converter(LIST)(cell)


@pytest.mark.parametrize("type_", [str, int, bool, datetime, LIST])
@pytest.mark.parametrize("cell", [None, "", "  ", math.nan, Decimal("nan")])
def test_an_empty_cell_is_none(type_: object, cell: object) -> None:
    assert converter(type_)(cell) is None


SCALARS = [st.none(), st.text(), st.integers(), st.floats(), st.booleans(), st.binary()]
OTHERS = [st.datetimes(), st.dates(), st.decimals(-(10**70), 10**70), st.lists(st.text() | st.integers())]


@given(st.one_of(*SCALARS, *OTHERS, st.dictionaries(st.text(), st.none())))
def test_whatever_a_cell_holds_it_is_a_value_or_malformed(cell: object) -> None:
    for type_ in (str, int, bool, datetime, LIST):
        try:
            value = converter(type_, timezone="Europe/Berlin")(cell)
        except Malformed:
            continue
        assert value is None or isinstance(value, tuple if type_ == LIST else type_)


def test_columns_constants_and_meanings(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(
        "rollout_id,env,commit,state,done,tier\n"
        "1,prod,abc,Succeeded,24.12.2026 08:00,1\n"
        "2,test,abc,Aborted,,2\n"
        "3,prod,,,,\n"
    )
    columns = {
        "id": "rollout_id",
        "environment": "env",
        "sha": "commit",
        "status": {
            "from": "state",
            "values": {"Succeeded": "success", "Aborted": "CANCELLED", "": "unknown"},
        },
        "finished_at": {"from": "done", "format": "%d.%m.%Y %H:%M"},
        "is_production": {"from": "tier", "values": {"1": True, "2": False}},
        "ref": {"from": "env", "values": {"prod": None, "test": "main"}},
    }
    constants = {"repository_url": "https://host.example/shop", "created_at": "2026-12-01", "service": 7}
    entry = {"path": "a.csv", "record": "deployment", "timezone": "Europe/Berlin"}
    options = FilesOptions.model_validate(
        {"files": [{**entry, "columns": columns, "constants": constants}]}, context={"folder": tmp_path}
    )
    items = list(FilesConnector("files", options, Context(tmp_path / "cache", b"key")).read({}))
    assert not [item for item in items if isinstance(item, Quarantined)]
    assert isinstance(items[0], Batch)
    first, second, third = [record._asdict() for record in items[0].records]
    assert [each["status"] for each in (first, second, third)] == ["success", "cancelled", "unknown"]
    assert [each["is_production"] for each in (first, second, third)] == [True, False, None]
    assert [each["ref"] for each in (first, second, third)] == [None, "main", None]
    assert first["finished_at"] == datetime(2026, 12, 24, 7, tzinfo=UTC)
    assert first["created_at"] == datetime(2026, 11, 30, 23, tzinfo=UTC)
    assert (first["repository_url"], first["service"]) == ("https://host.example/shop", "7")
