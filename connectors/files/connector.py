"""files: records from CSV, JSONL and Parquet files, for every tool that can export some.

A scope is one entry of `files`. Its cursor holds size, time and digest of each file, so that a file nobody
has touched costs one question to the file system. Where something has changed, an entry whose files are
`whole` is read again, and of one that is `append` the changed files and those after them by name, because
the last file that has a record has the last word on it.

Records wait in a temporary file until every file is known to be whole: a file that is replaced, cut off or
written to while it is read takes nothing away from what was read before.
"""

from __future__ import annotations

import glob
import hashlib
import os
import pickle
import stat
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import IO, NamedTuple

from pydantic import JsonValue

from connectors.connector import Batch, Connector, Covered, Item, Note, Problem, Quarantined
from connectors.files import rows as files_rows
from connectors.files.options import FileEntry, FilesOptions
from connectors.files.records import Rows
from connectors.files.rows import FileFault, Misread
from connectors.parsing import Malformed
from connectors.records import KEYS, STREAMS, Record

_BATCH_SIZE = 10_000
_IN_MEMORY = 2**24
_LOOKED_AT = 100
_SETTLED_NANOSECONDS = 2_000_000_000
_STATES = {"repository", "ref", "team", "membership", "identity", "service", "ownership"}
"""Records of what is, not of what happened."""


class _Found(NamedTuple):
    name: str
    """As shown: relative to the workspace file's folder where the entry is."""
    path: Path


class FilesConnector(Connector):
    """Reads the files that the workspace names."""

    kind = "files"
    streams = tuple(STREAMS)
    options_type = FilesOptions
    options: FilesOptions

    @classmethod
    def streams_of(cls, options: FilesOptions) -> tuple[str, ...]:  # type: ignore[override]
        """The records that the entries name."""
        return tuple(dict.fromkeys(entry.record for entry in options.files))

    def read(self, cursors: Mapping[str, JsonValue]) -> Iterator[Item]:
        """Per entry with something new: all of it, the cursor on the last batch."""
        for entry in self.options.files:
            began = datetime.now(UTC)
            found = self._found(entry)
            if isinstance(found, Problem):
                yield found
            else:
                yield from self._items(entry, found, cursors.get(entry.scope), began)

    def check(self) -> Iterator[Problem | Note]:
        """Look at the header and the first rows of every file."""
        for entry in self.options.files:
            found = self._found(entry)
            if isinstance(found, Problem):
                yield found
                continue
            rows = Rows(entry, self.context)
            for name, path in found:
                try:
                    with _opened(path) as file:
                        yield from _judged(entry, name, rows, file)
                except FileFault as fault:
                    yield _problem(entry, name, fault)
            newest = _newest(found)
            of = "1 file" if len(found) == 1 else f"{len(found):,} files"
            last = f", the last one written at {newest:%Y-%m-%d %H:%M} UTC" if newest else ""
            yield Note(entry.scope, f"{of}{last}")

    def _found(self, entry: FileEntry) -> list[_Found] | Problem:
        """The files of an entry by name."""
        folder = self.options.folder
        pattern = os.path.expanduser(entry.path)  # noqa: PTH111 - it may be a glob
        names = [pattern] if os.path.lexists(folder / pattern) else []
        if not names and glob.has_magic(pattern):
            # Not Path.glob, which finds what is hidden.
            matches = sorted(glob.glob(pattern, root_dir=folder, recursive=True))  # noqa: PTH207
            names = [name for name in matches if not (folder / name).is_dir()]
        if names:
            return [_Found(_printable(name), folder / name) for name in names]
        mend = "Correct the `path`, export it, or mount the folder"
        return Problem(entry.scope, "there is no such file", mend)

    def _items(
        self, entry: FileEntry, found: Sequence[_Found], cursor: JsonValue, began: datetime
    ) -> Iterator[Item]:
        known = _Known(entry, cursor)
        reading = known.to_read(found)
        states: dict[str, JsonValue] = {}
        is_readable = True
        if reading:
            rows = Rows(entry, self.context)
            self.context.cache.mkdir(parents=True, exist_ok=True)
            with _Waiting(self.context.cache) as waiting:
                for name, path in reading:
                    start = waiting.place()
                    try:
                        states[name], repeated = _read(entry, path, rows, waiting)
                        if repeated:
                            key = " and ".join(KEYS[entry.record])
                            yield Note(entry.scope, f"{name}: {repeated} row(s) share {key} with a later one")
                    except FileFault as fault:
                        waiting.forget_since(start)
                        is_readable = False
                        yield _problem(entry, name, fault)
                yield from _batches(entry, waiting, known.cursor(found, states) if is_readable else None)
        if is_readable:
            is_snapshot = entry.record == "capability_state" and entry.mode == "whole"
            yield Covered(
                entry.scope, _covered_until(entry, found, began), known.settings if is_snapshot else None
            )


class _Known:
    """What the cursor says of an entry's files."""

    def __init__(self, entry: FileEntry, cursor: JsonValue) -> None:
        self._is_whole = entry.mode == "whole"
        self.settings = hashlib.sha256(entry.model_dump_json().encode()).hexdigest()[:32]
        held = cursor if isinstance(cursor, dict) and cursor.get("settings") == self.settings else {}
        files = held.get("files")
        self._files: dict[str, JsonValue] = files if isinstance(files, dict) else {}

    def to_read(self, found: Sequence[_Found]) -> Sequence[_Found]:
        """The files to read; none where nothing has changed."""
        first = next((place for place, file in enumerate(found) if self._is_changed(file)), len(found))
        if not self._is_whole:
            return found[first:]
        is_one_gone = bool(self._files.keys() - {name for name, _ in found})
        return found if first < len(found) or is_one_gone else ()

    def cursor(self, found: Sequence[_Found], states: Mapping[str, JsonValue]) -> JsonValue:
        """What to remember once `states` of the files that were read are loaded."""
        files = {name: states.get(name, self._files.get(name)) for name, _ in found}
        return {"settings": self.settings, "files": files}

    def _is_changed(self, file: _Found) -> bool:
        held = self._files.get(file.name)
        if not isinstance(held, list) or len(held) != 3:
            return True
        size, mtime_ns, digest = held
        try:
            now = file.path.stat()
            if (now.st_size, now.st_mtime_ns) == (size, mtime_ns):
                return False
            # Exported again with the same outcome, or read so soon after writing that its time says nothing.
            with _opened(file.path) as content:
                return now.st_size != size or _digest(content) != digest
        except (OSError, FileFault):
            return True


_Keyed = dict[tuple[object, ...], Record]
_Chunk = _Keyed | list[Quarantined]


class _Waiting:
    """Records and quarantined rows put aside, on the disk once they are many; nothing personal is in them."""

    def __init__(self, folder: Path) -> None:
        self._file = tempfile.SpooledTemporaryFile(_IN_MEMORY, dir=str(folder))  # noqa: SIM115 - closed below

    def __enter__(self) -> _Waiting:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, items: _Chunk) -> None:
        if items:
            pickle.dump(items, self._file, pickle.HIGHEST_PROTOCOL)

    def place(self) -> int:
        place: int = self._file.tell()
        return place

    def forget_since(self, place: int) -> None:
        self._file.seek(place)
        self._file.truncate()

    def __iter__(self) -> Iterator[_Chunk]:
        end = self._file.seek(0, os.SEEK_END)
        self._file.seek(0)
        while self._file.tell() < end:
            yield pickle.load(self._file)


def _read(entry: FileEntry, path: Path, rows: Rows, waiting: _Waiting) -> tuple[JsonValue, int]:
    """Put the records of a file aside; returns its state for the cursor, and how many rows a later one of the
    same key replaced near by. Raises `FileFault`."""
    began_ns = datetime.now(UTC).timestamp() * 1e9
    with _opened(path) as file:
        before = os.fstat(file.fileno())
        digest = _digest(file)
        key = KEYS[entry.record]
        # Of two rows with one key in a batch the loader would take either: the later one counts.
        records: _Keyed = {}
        refused: list[Quarantined] = []
        repeated = 0
        with closing(files_rows.rows(file, entry, rows.wanted)) as found:
            for row in found:
                try:
                    if isinstance(row, Misread):
                        raise Malformed(row.reason)
                    record = rows.record(row.cells)
                    id_ = tuple(getattr(record, name) for name in key)
                    repeated += id_ in records
                    records[id_] = record
                except Malformed as error:
                    place = f"{_printable(path.name)}:{row.line}"
                    refused.append(Quarantined(entry.record, entry.scope, place, str(error)))
                if len(records) == _BATCH_SIZE or len(refused) == _BATCH_SIZE:
                    waiting.add(records)
                    waiting.add(refused)
                    records, refused = {}, []
        waiting.add(records)
        waiting.add(refused)
        after = os.fstat(file.fileno())
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        mend = "Export under another name and rename; else the next sync reads it"
        raise FileFault("was written to while it was read", mend, is_transient=True)
    # What is written within the clock's grain of this reading would have the same time.
    is_settled = after.st_mtime_ns < began_ns - _SETTLED_NANOSECONDS
    return [after.st_size, after.st_mtime_ns if is_settled else None, digest], repeated


def _batches(entry: FileEntry, waiting: Iterable[_Chunk], cursor: JsonValue) -> Iterator[Item]:
    """One batch after the other: the first says that it is all there is, the last has the cursor."""
    is_whole = entry.mode == "whole" and cursor is not None
    held: _Keyed = {}
    for chunk in waiting:
        if isinstance(chunk, list):
            yield from chunk
        elif len(held) + len(chunk) <= _BATCH_SIZE:
            held |= chunk  # of many small files one batch
        else:
            yield Batch(entry.record, entry.scope, list(held.values()), is_whole=is_whole)
            is_whole = False
            held = chunk
    if held or cursor is not None:
        yield Batch(entry.record, entry.scope, list(held.values()), cursor, is_whole)


def _judged(entry: FileEntry, name: str, rows: Rows, file: IO[bytes]) -> Iterator[Problem | Note]:
    """What the first rows of a file give to say."""
    reasons: dict[str, None] = {}
    looked_at = refused = 0
    with closing(files_rows.rows(file, entry, rows.wanted)) as found:
        for row in islice(found, _LOOKED_AT):
            looked_at += 1
            try:
                if isinstance(row, Misread):
                    raise Malformed(row.reason)
                rows.record(row.cells)
            except Malformed as error:
                refused += 1
                reasons[str(error)] = None
    said = "; ".join(islice(reasons, 3))
    if refused and refused == looked_at:
        mend = "Correct `columns`, or the rows"
        yield Problem(entry.scope, f"{name}: none of the first {looked_at} row(s) can be used: {said}", mend)
    elif refused:
        yield Note(entry.scope, f"{name}: {refused} of the first {looked_at} rows will be left out: {said}")


def _opened(path: Path) -> IO[bytes]:
    """The file at `path`, open to read; raises `FileFault`."""
    try:
        if path.is_dir():
            raise FileFault("is a folder", "Name the files in it, as in `exports/*.csv`")
        if path.exists() and not stat.S_ISREG(path.stat().st_mode):
            raise FileFault("is no file", "Name a file; pipes and devices are not read")
        return path.open("rb")
    except FileNotFoundError:
        if path.is_symlink():
            raise FileFault("is a link to no file", "Correct the link, or remove it") from None
        raise FileFault("is gone again", "Export it again", is_transient=True) from None
    except OSError as error:
        raise FileFault(f"cannot be read: {error.strerror}", "Let the user who runs this read it") from None


def _digest(file: IO[bytes]) -> str:
    digest = hashlib.file_digest(file, hashlib.blake2b).hexdigest()[:32]  # type: ignore[arg-type]
    file.seek(0)
    return digest


def _covered_until(entry: FileEntry, found: Sequence[_Found], began: datetime) -> datetime:
    """Files say what had happened when they were written, not what has happened since."""
    newest = None if entry.record in _STATES else _newest(found)
    return min(newest, began) if newest else began


def _newest(found: Iterable[_Found]) -> datetime | None:
    times = []
    for _, path in found:
        try:
            times.append(path.stat().st_mtime)
        except OSError:
            continue
    return datetime.fromtimestamp(max(times), UTC) if times else None


def _problem(entry: FileEntry, name: str, fault: FileFault) -> Problem:
    return Problem(entry.scope, f"{name}: {fault}", fault.mend, fault.is_transient)


def _printable(name: str) -> str:
    text = os.fsencode(name).decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
