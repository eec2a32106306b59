"""Settings of a `files` source: which files hold which record, and how their columns are written."""

from __future__ import annotations

import codecs
import difflib
import re
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PrivateAttr,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)

from connectors.connector import Options
from connectors.files import fields as files_fields
from connectors.files import values as files_values
from connectors.files.fields import LIST
from connectors.parsing import Malformed
from connectors.records import STREAMS

Format = Literal["csv", "parquet", "jsonl"]

_SUFFIX = re.compile(r"\.(csv|tsv|parquet|jsonl|ndjson)(?:\.gz)?$", re.IGNORECASE).search
_FORMATS: dict[str, Format] = {
    "tsv": "csv",
    "ndjson": "jsonl",
    "csv": "csv",
    "parquet": "parquet",
    "jsonl": "jsonl",
}
_OF_TYPE = (("format", "time", datetime), ("timezone", "time", datetime), ("separator", "list", LIST))
_MOMENT = datetime(2026, 11, 28, 23, 58, 59)  # noqa: DTZ001 - written and read again as text


def _suggestion(word: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(word, known, 1)
    return f"; perhaps `{near[0]}` is meant" if near else ""


def _a_record(name: str) -> str:
    if name not in STREAMS:
        near = _suggestion(name, STREAMS) or f"; there are {', '.join(STREAMS)}"
        raise ValueError(f"there is no record `{name}`{near}")
    return name


@lru_cache
def _timezones() -> frozenset[str]:
    return frozenset(available_timezones() | {"UTC"})


def _a_timezone(name: str) -> str:
    if name != "UTC" and name not in _timezones():
        near = _suggestion(name, _timezones()) or "; write an IANA name such as Europe/Berlin"
        raise ValueError(f"there is no timezone `{name}`{near}")
    return name


def _a_format_of_times(format_: str) -> str:
    try:
        if datetime.strptime(_MOMENT.strftime(format_), format_).year != _MOMENT.year:  # noqa: DTZ007
            raise ValueError("names no year")
    except ValueError as error:
        raise ValueError(f"`{format_}` is no format of times such as %d.%m.%Y %H:%M: {error}") from None
    return format_


def _an_encoding(name: str) -> str:
    try:
        "".encode(name)
        return codecs.lookup(name).name
    except (LookupError, ValueError):
        raise ValueError(f"there is no encoding `{name}`; there are utf-8, latin-1, cp1252 …") from None


def _a_delimiter(mark: str) -> str:
    if len(mark) != 1 or mark in '\r\n"':
        raise ValueError("is not one character that can stand between columns")
    return mark


def _a_column(value: object) -> object:
    return {"from": value} if isinstance(value, str) else value


Timezone = Annotated[str, AfterValidator(_a_timezone)]
Said = Annotated[str, StringConstraints(min_length=1)]


class Column(Options):
    """Where the value of a field stands, and how it is written there. A name alone is `from`."""

    source: Said | None = Field(None, alias="from")
    """The column; the field's own name unless set."""
    values: dict[str, str | bool | int | None] = Field(default_factory=dict)
    """What stands there → what it means; `""` is an empty cell. What is not listed is taken as it stands."""
    format: Annotated[str, AfterValidator(_a_format_of_times)] | None = None
    """How times are written, in the codes of `strptime`; unless set ISO 8601, or seconds or milliseconds
    since 1970."""
    timezone: Timezone | None = None
    """IANA name of the zone of times that carry none; the entry's unless set."""
    separator: Said = ","
    """Stands between the parts of a list, which may also be a JSON list, or a list in Parquet."""


class FileEntry(Options):
    """Files that hold records of one kind."""

    path: Annotated[str, StringConstraints(min_length=1)]
    """File, or glob of files, whose later ones by name go before earlier ones where both have a record.
    A relative path begins at the workspace file's folder, `~` at your home."""
    record: Annotated[str, AfterValidator(_a_record)]
    """What a row is: `deployment`, `incident`, `team` or another of Cairn's records."""
    format: Format = Field("", validate_default=True)
    """`csv`, `parquet` or `jsonl`; read off the path's ending unless set. CSV and JSONL may be gzipped."""
    columns: dict[str, Annotated[Column, BeforeValidator(_a_column)]] = Field(default_factory=dict)
    """Field of the record → its column. Fields not listed take the column of their own name."""
    constants: dict[str, Any] = Field(default_factory=dict)
    """Field of the record → the value it has in every row."""
    persons: Literal["hash", "keep"] = "hash"
    """`hash`: columns of persons hold logins or addresses, of which only keyed hashes are kept. `keep`: they
    hold such hashes already, of this Cairn's own key; anything else there is refused."""
    mode: Literal["whole", "append"] = "whole"
    """`whole`: the files are all there is, and what is gone from them is gone. `append`: they only add."""
    timezone: Timezone = "UTC"
    """IANA name of the zone of times that carry none."""
    encoding: Annotated[str, AfterValidator(_an_encoding)] = "utf-8"
    """Of CSV and JSONL."""
    delimiter: Annotated[str, AfterValidator(_a_delimiter)] | None = None
    """Between the columns of CSV; read off the header unless set: one of `,` `;` `|` and the tab."""

    @property
    def scope(self) -> str:
        return f"{self.record} {self.path}"

    @field_validator("path")
    @classmethod
    def _printable(cls, path: str) -> str:
        if not path.isprintable():
            raise ValueError("holds a control character")
        return path

    @field_validator("format", mode="before")
    @classmethod
    def _of_the_ending(cls, format_: object, info: ValidationInfo) -> object:
        if format_ != "":
            return format_
        match = _SUFFIX(str(info.data.get("path", ".csv")))
        if match is None:
            raise ValueError("the path does not end in .csv, .parquet or .jsonl; say which: `format: csv`")
        return _FORMATS[match[1].lower()]

    @field_validator("columns")
    @classmethod
    def _columns_of_fields(cls, columns: dict[str, Column], info: ValidationInfo) -> dict[str, Column]:
        for name, column in columns.items():
            field = _field(name, info)
            if field is None:
                continue
            for setting, kind, type_ in _OF_TYPE:
                if setting in column.model_fields_set and field.type != type_:
                    raise ValueError(f"{name} is no {kind}, so `{setting}` means nothing there")
            for value in column.values.values():
                _check_value(f"{name}.values", field, value)
        return columns

    @field_validator("constants")
    @classmethod
    def _constants_of_fields(cls, constants: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        for name, value in constants.items():
            if name in info.data.get("columns", {}):
                raise ValueError(f"{name} is under `columns` too; remove one of them")
            field = _field(name, info)
            if field is not None:
                _check_value(name, field, value)
        return constants

    @model_validator(mode="after")
    def _nothing_without_effect(self) -> FileEntry:
        for setting, formats in (("encoding", {"csv", "jsonl"}), ("delimiter", {"csv"})):
            if setting in self.model_fields_set and self.format not in formats:
                raise ValueError(f"`{setting}` means nothing for {self.format}; remove it")
        return self


class FilesOptions(Options):
    """Settings of a `files` source."""

    files: tuple[FileEntry, ...] = Field(min_length=1)
    """Which files hold which records."""

    _folder: Path = PrivateAttr(Path())

    @property
    def folder(self) -> Path:
        """Where relative paths begin."""
        return self._folder

    @model_validator(mode="after")
    def _in_the_folder(self, info: ValidationInfo) -> FilesOptions:
        scopes = [entry.scope for entry in self.files]
        for entry in self.files:
            if scopes.count(entry.scope) > 1:
                raise ValueError(f"{entry.path} is given twice for {entry.record}; remove one of them")
        self._folder = (info.context or {}).get("folder") or Path()
        return self


def _field(name: str, info: ValidationInfo) -> files_fields.Field | None:
    """The field of the entry's record; None where that is wrong itself."""
    record = info.data.get("record")
    if record is None:
        return None
    known = files_fields.fields(record)
    if name not in known:
        near = _suggestion(name, known) or f"; there are {', '.join(known)}"
        raise ValueError(f"{record} has no field `{name}`{near}")
    return known[name]


def _check_value(where: str, field: files_fields.Field, value: object) -> None:
    try:
        said = files_values.converter(field.type)(value)
        if said is not None:
            files_values.word(said, field.words)
    except Malformed as error:
        raise ValueError(f"{where}: `{value}` {error}") from None
    if said is None and not field.is_optional:
        raise ValueError(f"{where}: {field.name} must not be empty")
