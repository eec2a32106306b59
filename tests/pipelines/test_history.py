"""Versions of teams, members and services: kept from when they were seen to when they no longer were."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from connectors.connector import Batch
from connectors.records import Membership, Team
from pipelines import ingest
from pipelines.landing import Landing, landed


@pytest.fixture
def connection() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("set TimeZone = 'UTC'")
    return connection


def load(
    connection: duckdb.DuckDBPyConnection, folder: Path, *members: str, source: str = "catalogue"
) -> str:
    """Load who is in the team now; gives when that landed."""
    records = [Membership("web", member, None, None) for member in members]
    Landing(folder, source).write(Batch("membership", "all", records, is_whole=True))
    (file,) = landed(folder)
    ingest.load(connection, folder, {})
    return file.landed_at.isoformat()


def versions(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str | None, str | None]]:
    rows = connection.execute(
        "select person, seen_from, seen_until from history.membership order by person, seen_from nulls first"
    ).fetchall()
    return [(person, start and start.isoformat(), end and end.isoformat()) for person, start, end in rows]


def test_who_was_there_at_first_was_there_before_and_who_comes_and_goes_is_dated(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    load(connection, tmp_path, "ada", "bo")
    second = load(connection, tmp_path, "bo", "cy")
    load(connection, tmp_path, "bo", "cy")
    third = load(connection, tmp_path, "ada", "bo", "cy")
    assert versions(connection) == [
        ("ada", None, second),
        ("ada", third, None),
        ("bo", None, None),
        ("cy", second, None),
    ]


def test_a_record_that_changes_begins_a_new_version(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    team = Team("web", "Web", None, "team")
    for version in (team, team._replace(parent="product")):
        Landing(tmp_path, "catalogue").write(Batch("team", "all", [version], is_whole=True))
        ingest.load(connection, tmp_path, {})
    rows = connection.execute(
        "select parent, seen_from is null, seen_until is null from history.team"
        " order by seen_from nulls first"
    ).fetchall()
    assert rows == [(None, True, False), ("product", False, True)]


def test_sources_have_histories_of_their_own(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    load(connection, tmp_path, "ada")
    load(connection, tmp_path, "ada", source="other")
    load(connection, tmp_path, source="other")
    rows = connection.execute(
        "select source, seen_until is null from history.membership order by 1"
    ).fetchall()
    assert rows == [("catalogue", True), ("other", False)]
