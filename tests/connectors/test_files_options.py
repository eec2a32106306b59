"""The settings of a `files` source: what is wrong with one is said with its name and what would be right."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.files import FilesConnector
from connectors.files.options import FilesOptions


def made(*entries: dict[str, Any]) -> FilesOptions:
    return FilesOptions.model_validate({"files": entries})


def complaint(**settings: object) -> tuple[str, str]:
    """Where a setting is refused, and why."""
    with pytest.raises(ValidationError) as refused:
        made({"path": "a.csv", "record": "deployment", **settings})
    # That `files` is too short, as none of its entries is sound, the workspace file leaves unsaid.
    (error,) = [error for error in refused.value.errors() if error["loc"] != ("files",)]
    return ".".join(str(part) for part in error["loc"][2:]), error["msg"].removeprefix("Value error, ")


@pytest.mark.parametrize(
    ("settings", "where", "words"),
    [
        ({"record": "deploy"}, "record", "there is no record `deploy`; perhaps `deployment` is meant"),
        (
            {"record": "xyz"},
            "record",
            "there is no record `xyz`; there are repository, commit, ref, pull_request",
        ),
        (
            {"path": "exports/*"},
            "format",
            "does not end in .csv, .parquet or .jsonl; say which: `format: csv`",
        ),
        ({"path": "a.xlsx"}, "format", "does not end in"),
        ({"path": ""}, "path", "at least 1"),
        ({"path": "a\n.csv"}, "path", "holds a control character"),
        ({"format": "xml"}, "format", "'csv', 'parquet' or 'jsonl'"),
        ({"columns": {"shaa": "x"}}, "columns", "deployment has no field `shaa`; perhaps `sha` is meant"),
        ({"columns": {"xyz": "x"}}, "columns", "deployment has no field `xyz`; there are id, repository"),
        ({"columns": {"sha": ""}}, "columns.sha.from", "at least 1"),
        ({"columns": {"sha": {"form": "x"}}}, "columns.sha.form", "Extra inputs"),
        (
            {"columns": {"sha": {"format": "%Y"}}},
            "columns",
            "sha is no time, so `format` means nothing there",
        ),
        ({"columns": {"sha": {"separator": ";"}}}, "columns", "sha is no list, so `separator` means nothing"),
        (
            {"columns": {"created_at": {"format": "dd.MM.yyyy"}}},
            "columns.created_at.format",
            "is no format of",
        ),
        ({"columns": {"created_at": {"format": "%d.%m."}}}, "columns.created_at.format", "names no year"),
        (
            {"columns": {"created_at": {"timezone": "Europe/Berlni"}}},
            "columns.created_at.timezone",
            "there is no timezone `Europe/Berlni`; perhaps `Europe/Berlin` is meant",
        ),
        ({"timezone": "CEST"}, "timezone", "there is no timezone `CEST`"),
        (
            {"columns": {"status": {"values": {"ok": "sucess"}}}},
            "columns",
            "status.values: `sucess` is none of success, failed, cancelled, skipped, running, unknown",
        ),
        ({"columns": {"status": {"values": {"ok": None}}}}, "columns", "status must not be empty"),
        ({"constants": {"sah": "x"}}, "constants", "has no field `sah`; perhaps `sha` is meant"),
        ({"constants": {"created_at": "soon"}}, "constants", "created_at: `soon` is no time"),
        ({"constants": {"id": ""}}, "constants", "id must not be empty"),
        ({"constants": {"sha": {}}}, "constants", "sha: `{}` is no text"),
        ({"constants": {"sha": "x"}, "columns": {"sha": "x"}}, "constants", "sha is under `columns` too"),
        ({"persons": "clear"}, "persons", "'hash' or 'keep'"),
        ({"mode": "all"}, "mode", "'whole' or 'append'"),
        ({"encoding": "utf-9"}, "encoding", "there is no encoding `utf-9`"),
        ({"encoding": "rot13"}, "encoding", "there is no encoding `rot13`"),
        ({"delimiter": ", "}, "delimiter", "is not one character"),
        ({"delimiter": "\n"}, "delimiter", "is not one character"),
        ({"path": "a.parquet", "encoding": "utf-8"}, "", "`encoding` means nothing for parquet; remove it"),
        ({"path": "a.jsonl", "delimiter": ";"}, "", "`delimiter` means nothing for jsonl; remove it"),
    ],
)
def test_what_is_wrong_is_said(settings: dict[str, Any], where: str, words: str) -> None:
    place, message = complaint(**settings)
    assert place == where
    assert words in message


def test_an_entry_of_an_unknown_record_is_one_problem() -> None:
    assert complaint(record="deploy", columns={"x": "y"}, constants={"z": 1})[0] == "record"


def test_the_same_files_twice() -> None:
    entry = {"path": "a.csv", "record": "deployment"}
    made(entry, {**entry, "record": "incident"}, {**entry, "path": "b.csv"})
    with pytest.raises(ValidationError, match=r"a\.csv is given twice for deployment"):
        made(entry, entry)
    with pytest.raises(ValidationError, match="at least 1"):
        made()


@pytest.mark.parametrize(
    ("path", "format_"),
    [
        ("a.CSV", "csv"),
        ("a.tsv.gz", "csv"),
        ("*.ndjson", "jsonl"),
        ("a.jsonl.gz", "jsonl"),
        ("a.parquet", "parquet"),
    ],
)
def test_the_format_is_read_off_the_ending(path: str, format_: str) -> None:
    assert made({"path": path, "record": "team"}).files[0].format == format_
    assert made({"path": path, "record": "team", "format": "jsonl"}).files[0].format == "jsonl"


def test_the_folder_is_no_part_of_the_settings(tmp_path: Path) -> None:
    entries = {"files": [{"path": "a.csv", "record": "team"}]}
    here = FilesOptions.model_validate(entries, context={"folder": tmp_path})
    assert pickle.loads(pickle.dumps(here)).folder == tmp_path
    assert str(tmp_path) not in str(here.model_dump(mode="json"))


def test_a_source_says_which_records_it_has() -> None:
    entry = {"path": "a.csv", "record": "team"}
    assert FilesConnector.streams_of(made(entry, {**entry, "record": "ref"}, {**entry, "path": "b.csv"})) == (
        "team",
        "ref",
    )
