"""From the cells of a row to a record, in which persons and branches are keyed hashes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from connectors.connector import Context
from connectors.files import fields as files_fields
from connectors.files import values as files_values
from connectors.files.fields import LIST, Field
from connectors.files.options import Column, FileEntry
from connectors.files.rows import Wanted
from connectors.parsing import Malformed
from connectors.records import STREAMS, CapabilityUse, Record, Ref

Read = Callable[[Any], Any]

_KEPT_HASHES = 2**16
_HASH = re.compile(r"[0-9a-f]{32}").fullmatch
_USER = re.compile(r"(https?://)[^/\s@]*@", re.IGNORECASE)
_PASSWORD = re.compile(r"([a-z][a-z0-9+.-]*://[^/\s:@]*):[^/\s@]*@", re.IGNORECASE)


class _Source(NamedTuple):
    """Where a field's value comes from."""

    field: Field
    read: Read
    column: str


class Rows:
    """Makes records of the rows of an entry's files."""

    def __init__(self, entry: FileEntry, context: Context) -> None:
        self._entry = entry
        self._type = STREAMS[entry.record]
        self._person = _kept if entry.persons == "keep" else lru_cache(_KEPT_HASHES)(context.person)
        self._branch = context.branch
        self._sources: list[_Source] = []
        self.wanted: list[Wanted] = []
        """The columns that `record` takes, in its order."""
        for field in files_fields.fields(entry.record).values():
            if field.name not in entry.constants:
                column = entry.columns.get(field.name, Column())
                name = column.source or field.name
                is_needed = column.source is not None or not field.is_optional
                self.wanted.append(Wanted(name, field.name, is_needed, not field.is_optional))
                self._sources.append(_Source(field, self._reader(field, column), name))
        self._constants = {
            name: self._reader(files_fields.fields(entry.record)[name], Column())(value)
            for name, value in entry.constants.items()
        }

    @property
    def unfilled(self) -> Iterator[str]:
        """Fields that are neither configured nor required: None where no column is called so."""
        return (w.field for w in self.wanted if not w.is_needed)

    def record(self, cells: Sequence[Any]) -> Record:
        """The record of a row; raises `Malformed` with a reason that names field and column."""
        values = dict(self._constants)
        source = None
        try:
            for source, cell in zip(self._sources, cells, strict=True):
                values[source.field.name] = source.read(cell)
        except Malformed as error:
            assert source is not None
            of_column = f" (column `{source.column}`)" if source.column != source.field.name else ""
            raise Malformed(f"{source.field.name} {error}{of_column}") from None
        record = self._type(**values)
        if isinstance(record, Ref) and record.kind == "branch":
            return record._replace(name=self._branch(record.name))
        if isinstance(record, CapabilityUse) and record.subject_kind == "person":
            return record._replace(subject=self._known_person("subject", record.subject))
        return record

    def _known_person(self, field: str, said: str) -> str:
        try:
            return self._person(said)
        except Malformed as error:
            raise Malformed(f"{field} {error}") from None

    def _reader(self, field: Field, column: Column) -> Read:
        """What makes the field's value of a cell."""
        convert = files_values.converter(
            field.type,
            format_=column.format,
            timezone=column.timezone or self._entry.timezone,
            separator=column.separator,
        )
        meanings = {said: None if value is None else convert(value) for said, value in column.values.items()}
        finish = self._finisher(field)

        def read(cell: Any) -> Any:
            if meanings and (said := files_values.text(cell) or "") in meanings:
                value = meanings[said]
            else:
                value = None if cell is None or cell == "" else convert(cell)
            if value is not None:
                return finish(value) if finish else value
            if field.is_optional:
                return () if field.type == LIST else None
            raise Malformed("is missing")

        return read

    def _finisher(self, field: Field) -> Read | None:
        if field.is_person:
            return self._person
        if field.is_branch:
            return self._masked
        if field.words:
            return lambda said: files_values.word(said, field.words)
        if field.name == "environment":
            return _environment
        if field.type == LIST:
            return lambda said: tuple(map(_without_credentials, said))
        return _without_credentials if field.type is str else None

    def _masked(self, name: str) -> str:
        """The name of a branch masked, that of a tag in full where `refs/tags/` says so."""
        tag = name.removeprefix("refs/tags/")
        return tag if tag != name else self._branch(name.removeprefix("refs/heads/"))


def _kept(said: str) -> str:
    if not _HASH(said):
        raise Malformed("is no hash of a person, of 32 hexadecimal digits")
    return said


def _environment(name: str) -> str:
    """GitLab names the environments of review apps after branches."""
    return "review/*" if name.startswith("review/") else name


def _without_credentials(said: str) -> str:
    return _PASSWORD.sub(r"\1@", _USER.sub(r"\1", said)) if "@" in said and "://" in said else said
