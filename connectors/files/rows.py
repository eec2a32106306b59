"""The rows of a CSV, JSONL or Parquet file, one after the other, in the memory that a few of them take."""

from __future__ import annotations

import csv
import difflib
import gzip
import io
import itertools
import json
import zlib
from collections.abc import Generator, Iterator, Sequence
from typing import IO, Any, NamedTuple, TextIO

from connectors.files.options import FileEntry

_DELIMITERS = ",;\t|"
_LONGEST_LINE = 2**24
_ROWS_AT_ONCE = 10_000
_ONE_OBJECT = "Write one object on each line, as `jq -c '.[]'` does"
_GZIP = b"\x1f\x8b"


class FileFault(Exception):
    """A file that cannot be read as it is configured. `str()` goes on after the file's name."""

    def __init__(self, message: str, mend: str, *, is_transient: bool = False) -> None:
        super().__init__(message)
        self.mend = mend
        self.is_transient = is_transient


class Wanted(NamedTuple):
    """A column that a field is read from."""

    column: str
    field: str
    is_needed: bool
    """A file with a header must have it: the field is required, or the column was named for it."""
    is_required: bool
    """The field is: rows without it are refused."""


class Cells(NamedTuple):
    """A row."""

    line: int
    """Where it begins, from 1; in Parquet its number."""
    cells: Sequence[Any]
    """In the order of the wanted columns, None where the file has no such column."""


class Misread(NamedTuple):
    """A row that is none."""

    line: int
    reason: str


def rows(
    file: IO[bytes], entry: FileEntry, wanted: Sequence[Wanted]
) -> Generator[Cells | Misread, None, None]:
    """The rows of an open file; raises `FileFault` for what is wrong with all of it."""
    if entry.format == "parquet":
        yield from _parquet(file, wanted)
        return
    is_gzipped = file.read(2) == _GZIP
    file.seek(0)
    plain = gzip.GzipFile(fileobj=file) if is_gzipped else file
    encoding = "utf-8-sig" if entry.encoding == "utf-8" else entry.encoding
    stream = io.TextIOWrapper(plain, encoding, newline="" if entry.format == "csv" else "\n")
    try:
        yield from _csv(stream, entry.delimiter, wanted) if entry.format == "csv" else _jsonl(stream, wanted)
    except UnicodeError:
        raise FileFault(
            f"is not {entry.encoding} text",
            "Save it as UTF-8, or set `encoding`, as in latin-1 or utf-16",
        ) from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise _half(f"is no whole gzip file: {error}") from None
    finally:
        stream.detach()  # the file stays open


def _half(message: str) -> FileFault:
    return FileFault(message, "Export it again, under another name, and rename it once it is whole")


def _csv(stream: TextIO, delimiter: str | None, wanted: Sequence[Wanted]) -> Iterator[Cells | Misread]:
    blank = 0
    last = ""
    for last in stream:
        if last.strip():
            break
        blank += 1
    if not last.strip():
        raise FileFault("is empty, without even a header", "Export it again; of nothing, its header alone")

    def remembered(line: str) -> str:
        nonlocal last
        last = line
        return line

    mark = delimiter or _delimiter(last, wanted)
    lines = itertools.chain([last], map(remembered, stream))
    reader = csv.reader(lines, delimiter=mark, strict=True)
    try:
        header = [name.strip() for name in next(reader)]
    except csv.Error as error:
        raise FileFault(f"has no header that can be read: {error}", "Correct its first line") from None
    places = _places(header, wanted)
    while True:
        line = blank + reader.line_num + 1
        try:
            row = next(reader, None)
        except csv.Error as error:
            if not last.endswith(("\n", "\r")):
                raise _half(f"ends in the middle of line {line}") from None
            yield Misread(line, f"is no row: {error}")
            continue
        if row is None:
            return
        if len(row) == len(header):
            yield Cells(line, [None if place is None else row[place] for place in places])
        elif row:
            if len(row) < len(header) and not last.endswith(("\n", "\r")):
                raise _half(f"ends in the middle of line {line}")
            yield Misread(line, f"has {len(row)} fields where the header has {len(header)}")


def _delimiter(header: str, wanted: Sequence[Wanted]) -> str:
    """The one that finds most of the wanted columns in the header, or else most columns."""
    columns = {each.column for each in wanted}

    def found(mark: str) -> tuple[int, int]:
        names = next(csv.reader([header], delimiter=mark))
        return len(columns & {name.strip() for name in names}), len(names)

    return max(_DELIMITERS, key=found)


def _places(header: Sequence[str], wanted: Sequence[Wanted]) -> list[int | None]:
    """Where the wanted columns stand."""
    for each in wanted:
        if header.count(each.column) > 1:
            raise FileFault(f"has two columns `{each.column}`", "Rename one of them")
    missing = [each for each in wanted if each.is_needed and each.column not in header]
    if missing:
        raise _without(missing, header)
    return [header.index(each.column) if each.column in header else None for each in wanted]


def _without(missing: Sequence[Wanted], known: Sequence[str]) -> FileFault:
    named = ", ".join(
        f"`{each.column}`" + (f" for {each.field}" if each.field != each.column else "") for each in missing
    )
    near = {each.column: difflib.get_close_matches(each.column, known, 1, cutoff=0.75) for each in missing}
    hints = [f"`{names[0]}` instead of `{column}`" for column, names in near.items() if names]
    mend = "Name the right column under `columns`, or give the field a value under `constants`"
    # Only what is nearly the configured name is said: the first line of a file without a header is data.
    return FileFault(f"has no column {named}", f"{mend}; perhaps {', '.join(hints)}" if hints else mend)


def _jsonl(stream: TextIO, wanted: Sequence[Wanted]) -> Iterator[Cells | Misread]:
    columns = [each.column for each in wanted]
    unseen = {each.column for each in wanted if each.is_required}
    is_empty = True
    for number in itertools.count(1):
        line = stream.readline(_LONGEST_LINE)
        if not line:
            break
        if len(line) == _LONGEST_LINE:
            raise FileFault(f"has more than {_LONGEST_LINE:,} characters on line {number}", _ONE_OBJECT)
        if line.isspace():
            continue
        is_empty = False
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            if not line.endswith("\n"):
                raise _half(f"ends in the middle of line {number}") from None
            yield Misread(number, "is no JSON")
            continue
        if not isinstance(row, dict):
            if number == 1 and isinstance(row, list):
                raise FileFault("is one JSON list", _ONE_OBJECT)
            yield Misread(number, "is no JSON object")
            continue
        if unseen:
            unseen -= row.keys()
        yield Cells(number, [row.get(column) for column in columns])
    if unseen and not is_empty:
        raise _without([each for each in wanted if each.column in unseen], ())


def _parquet(file: IO[bytes], wanted: Sequence[Wanted]) -> Iterator[Cells | Misread]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        parquet = pq.ParquetFile(file, pre_buffer=False)
        names = parquet.schema_arrow.names
        places = _places(names, wanted)
        present = sorted({names[place] for place in places if place is not None})
        before = 0
        for batch in parquet.iter_batches(_ROWS_AT_ONCE, columns=present):
            values = {name: _values(batch.column(name)) for name in present}
            empty = [None] * batch.num_rows
            columns = [values.get(each.column, empty) for each in wanted]
            for number, cells in enumerate(zip(*columns, strict=True), before + 1):
                yield Cells(number, cells)
            before += batch.num_rows
    except (pa.ArrowException, OSError) as error:
        raise _half(f"is no whole Parquet file: {str(error).partition(chr(10))[0]}") from None


class Unreadable:
    """Stands for a value that Python has none for, as a time after the year 9999."""


def _values(column: Any) -> list[Any]:
    """Python's own values of a column."""
    import pyarrow as pa

    if pa.types.is_timestamp(column.type):
        # Nanoseconds, for which pyarrow would bring in pandas, are cut off.
        column = column.cast(pa.timestamp("us", column.type.tz), safe=False)
    try:
        values: list[Any] = column.to_pylist()
    except (ValueError, OverflowError):
        values = [_value(each) for each in column]
    return values


def _value(scalar: Any) -> Any:
    try:
        return scalar.as_py()
    except (ValueError, OverflowError):
        return Unreadable()
