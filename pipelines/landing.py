"""Landing: every batch becomes a Parquet file, written under a temporary name and then given its own.

Files need no lock: no writer takes a name that another has taken, and the loader deletes a file
only after the transaction that merged it. The order of names is the order of landing.
"""

from __future__ import annotations

import json
import os
import secrets
import threading
import time
import types
import typing
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import JsonValue

from connectors.connector import Batch, Quarantined
from connectors.records import KEYS, STREAMS, Record

QUARANTINE = "quarantine"
"""Stream under which quarantined records land."""

_LEFT_SECONDS = 3600
"""Age from which a half-written file is taken for a killed writer's where others may be writing."""

_TOGETHER = 32
"""How many files land at once."""

_METADATA_KEY = b"cairn"
_ARROW: dict[object, pa.DataType] = {
    str: pa.string(),
    int: pa.int64(),
    float: pa.float64(),
    bool: pa.bool_(),
    datetime: pa.timestamp("us", "UTC"),
    tuple[str, ...]: pa.list_(pa.string()),
}


@dataclass(frozen=True)
class LandedFile:
    """One landed batch: where it is and what it says of itself."""

    path: Path
    source: str
    stream: str
    scope: str
    cursor: JsonValue
    is_whole: bool

    @property
    def landed_at(self) -> datetime:
        """When, by this machine's clock, UTC."""
        return datetime.fromtimestamp(int(self.path.name.split("-")[0]) / 1e9, UTC)


@cache
def arrow_schema(stream: str) -> pa.Schema:
    """Columns and types of a stream, read off its record type."""
    record: type[Record] | type[Quarantined] = Quarantined if stream == QUARANTINE else STREAMS[stream]
    return pa.schema([_arrow_field(name, hint) for name, hint in typing.get_type_hints(record).items()])


def _arrow_field(name: str, hint: object) -> pa.Field:
    is_optional = isinstance(hint, types.UnionType)
    (base,) = (a for a in typing.get_args(hint) if a is not types.NoneType) if is_optional else (hint,)
    return pa.field(name, _ARROW[base], nullable=is_optional)


class LandingError(Exception):
    """A landed file that cannot be read; `str()` says what to do."""


class Landing:
    """The landing folder of one source."""

    def __init__(self, folder: Path, source: str, *, is_shared: bool = False) -> None:
        """`is_shared`: other processes may be writing for the same source."""
        self.source = source
        self._folder = folder / source
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._naming = threading.Lock()
        self._nameless: list[tuple[Path, str]] = []
        self._last = max((int(path.name.split("-")[0]) for path in self._folder.glob("*.parquet")), default=0)
        old = time.time() - (_LEFT_SECONDS if is_shared else 0)
        for leftover in self._folder.glob("*.tmp"):
            with suppress(FileNotFoundError):
                if leftover.stat().st_mtime <= old:
                    leftover.unlink()

    def write(self, batch: Batch) -> list[Quarantined]:
        """Land a batch; gives back the records that do not fit their type, which are left out."""
        misfits = self.write_soon(batch)
        self._give_names()
        return misfits

    def write_soon(self, batch: Batch) -> list[Quarantined]:
        """The same, but it may land together with later ones, at `settle` at the latest."""
        table, misfits = _table(batch)
        metadata = {
            "source": self.source,
            "stream": batch.stream,
            "scope": batch.scope,
            "cursor": batch.cursor,
            "is_whole": batch.is_whole,
        }
        schema = table.schema.with_metadata({_METADATA_KEY: json.dumps(metadata).encode()})
        temporary = self._folder / f"{secrets.token_hex(8)}.tmp"
        pq.write_table(table.replace_schema_metadata(schema.metadata), temporary, compression="zstd")
        self._nameless.append((temporary, batch.stream))
        if len(self._nameless) >= _TOGETHER:
            self._give_names()
        return misfits

    def settle(self) -> None:
        """Make what was written outlive a power cut."""
        self._give_names()
        for folder in (self._folder, self._folder.parent):
            _sync(folder)

    def _give_names(self) -> None:
        # Of several threads one names what all have written; the others wait until theirs is on disk.
        with self._naming:
            written = [*self._nameless]
            # Many files are on disk in the time of a few when the disk is asked for them at once.
            with ThreadPoolExecutor(_TOGETHER) as pool:
                list(pool.map(_sync, [path for path, _ in written]))
            for each in written:
                self._name(*each)
                self._nameless.remove(each)

    def _name(self, temporary: Path, stream: str) -> None:
        while True:
            try:
                # Unlike a rename, a link takes no name from another file.
                (self._folder / self._next_name(stream)).hardlink_to(temporary)
                break
            except FileExistsError:
                continue
        temporary.unlink()

    def _next_name(self, stream: str) -> str:
        with self._lock:
            # A clock set back must not sort new files before old ones.
            self._last = max(time.time_ns(), self._last + 1)
            return f"{self._last:020d}-{stream}.parquet"

    def quarantine(self, items: Sequence[Quarantined]) -> None:
        """Land quarantined records under their own stream."""
        columns = [[_printable(value) for value in column] for column in zip(*items, strict=True)]
        safe = [Quarantined(*row) for row in zip(*columns, strict=True)]
        self.write(Batch(QUARANTINE, self.source, typing.cast("Sequence[Record]", safe)))


def landed(folder: Path) -> Iterator[LandedFile]:
    """Every landed file that waits to be loaded, by source, oldest first."""
    for path in sorted(folder.glob("*/*.parquet")):
        try:
            metadata = pq.read_metadata(path).metadata
            yield LandedFile(path=path, **json.loads(metadata[_METADATA_KEY]))
        except (pa.ArrowInvalid, KeyError, TypeError, ValueError) as error:
            raise LandingError(
                f"{path} is damaged. Delete it and run `cairn sync --full`, which reads everything again."
            ) from error


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _table(batch: Batch) -> tuple[pa.Table, list[Quarantined]]:
    schema = arrow_schema(batch.stream)
    try:
        return _convert(batch.records, schema), []
    except (pa.ArrowInvalid, pa.ArrowTypeError, UnicodeEncodeError, OverflowError, ValueError):
        pass
    fitting: list[Record] = []
    misfits: list[Quarantined] = []
    for record in batch.records:
        try:
            _convert([record], schema)
            fitting.append(record)
        except (pa.ArrowInvalid, pa.ArrowTypeError, UnicodeEncodeError, OverflowError, ValueError):
            key = "/".join(str(getattr(record, name, "?")) for name in KEYS[batch.stream])
            misfits.append(Quarantined(batch.stream, batch.scope, key, _misfit(record, schema)))
    return _convert(fitting, schema), misfits


def _misfit(record: Record, schema: pa.Schema) -> str:
    """Which column is wrong; what it holds may be personal."""
    for value, field in zip(record, schema, strict=True):
        try:
            array = pa.array([value], field.type)
        except (pa.ArrowInvalid, pa.ArrowTypeError, UnicodeEncodeError, OverflowError, ValueError):
            return f"{field.name} does not fit its type, {field.type}"
        if array.null_count and not field.nullable:
            return f"{field.name} is missing"
    return "does not fit its type"


def _convert(records: Iterable[Record], schema: pa.Schema) -> pa.Table:
    columns = list(zip(*records, strict=True)) or [()] * len(schema)
    arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
    for array, field in zip(arrays, schema, strict=True):
        if array.null_count and not field.nullable:
            raise ValueError(f"{field.name} is missing")
    return pa.Table.from_arrays(arrays, schema=schema)


def _printable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()[:500]
