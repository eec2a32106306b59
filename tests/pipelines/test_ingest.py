"""Load: merged by key, cursors moved with the data, nothing lost and nothing doubled."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from connectors.connector import Batch, Quarantined
from connectors.records import Commit, Ref
from pipelines import ingest
from pipelines.ingest import Change, Read
from pipelines.landing import Landing, LandingError

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def connection() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("set TimeZone = 'UTC'")
    ingest.prepare(connection)
    return connection


def commit(sha: str, kind: str = "change") -> Commit:
    return Commit("shop", sha, (), "who", False, AT, AT, kind, None)


def tag(name: str, sha: str = "a", repository: str = "shop") -> Ref:
    return Ref(repository, name, "tag", sha, AT)


def load(connection: duckdb.DuckDBPyConnection, folder: Path, *batches: Batch) -> dict[str, Change]:
    landing = Landing(folder, "git")
    for batch in batches:
        landing.write(batch)
    return {stream: change for (_, stream), change in ingest.load(connection, folder, {}).items()}


def test_new_changed_and_known_records_are_told_apart(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    load(connection, tmp_path, Batch("commit", "shop", [commit("a"), commit("b")]))
    changes = load(
        connection, tmp_path, Batch("commit", "shop", [commit("a"), commit("b", "fix"), commit("c")])
    )
    assert changes == {"commit": Change(new=1, changed=1)}
    assert connection.execute("select sha, kind from raw.commit order by sha").fetchall() == [
        ("a", "change"),
        ("b", "fix"),
        ("c", "change"),
    ]


def test_the_last_reading_of_a_key_wins(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    batches = [Batch("commit", "shop", [commit("a", kind)]) for kind in ("fix", "revert", "change")]
    assert load(connection, tmp_path, *batches) == {"commit": Change(new=1)}
    assert connection.execute("select kind from raw.commit").fetchall() == [("change",)]


def test_a_whole_batch_removes_what_it_does_not_name_in_its_scope_alone(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    whole = [Batch("ref", "shop", [tag("1"), tag("2")], is_whole=True)]
    other = [Batch("ref", "till", [tag("1", repository="till")], is_whole=True)]
    load(connection, tmp_path, *whole, *other)
    changes = load(connection, tmp_path, Batch("ref", "shop", [tag("2"), tag("3")], is_whole=True))
    assert changes == {"ref": Change(new=1, gone=1)}
    names = connection.execute("select repository, name from raw.ref order by all").fetchall()
    assert names == [("shop", "2"), ("shop", "3"), ("till", "1")]


def test_of_two_whole_batches_that_wait_the_later_counts(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    load(
        connection,
        tmp_path,
        Batch("ref", "shop", [tag("1"), tag("2")], is_whole=True),
        Batch("ref", "shop", [tag("2", "b")], is_whole=True),
    )
    assert connection.execute("select name, sha from raw.ref").fetchall() == [("2", "b")]


def test_two_sources_never_mix(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    for source in ("here", "there"):
        Landing(tmp_path, source).write(Batch("ref", "shop", [tag("1", source)], is_whole=True))
    ingest.load(connection, tmp_path, {})
    Landing(tmp_path, "here").write(Batch("ref", "shop", [], is_whole=True))
    ingest.load(connection, tmp_path, {})
    assert connection.execute("select source, sha from raw.ref").fetchall() == [("there", "there")]


def test_a_cursor_moves_with_its_records_or_not_at_all(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Landing(tmp_path, "git").write(Batch("commit", "shop", [commit("a")], cursor=["to", "here"]))
    merge = ingest._merge
    with monkeypatch.context() as patch:
        patch.setattr(ingest, "_merge", lambda *given: merge(*given) and 1 / 0)
        with pytest.raises(ZeroDivisionError):
            ingest.load(connection, tmp_path, {})
    assert ingest.cursors(connection, "git") == {}
    assert connection.execute("from raw.commit").fetchall() == []
    ingest.load(connection, tmp_path, {})
    assert ingest.cursors(connection, "git") == {"shop": ["to", "here"]}
    assert ingest.cursors(connection, "other") == {}


def test_files_that_were_loaded_but_not_deleted_do_not_undo_later_ones(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", lambda *_, **__: None)  # killed between commit and deletion, twice
        load(connection, tmp_path, Batch("commit", "shop", [commit("a", "fix")], cursor=1))
        load(connection, tmp_path, Batch("commit", "shop", [commit("a", "change")], cursor=2))
    assert load(connection, tmp_path) == {}
    assert connection.execute("select kind from raw.commit").fetchall() == [("change",)]
    assert ingest.cursors(connection, "git") == {"shop": 2}
    assert list(tmp_path.glob("*/*")) == []


def test_only_changed_data_makes_a_new_version(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    def version() -> object:
        return connection.execute("from raw.version").fetchall()

    load(connection, tmp_path, Batch("commit", "shop", [commit("a")]))
    before = version()
    load(connection, tmp_path, Batch("commit", "shop", [commit("a")]))
    ingest.load(connection, tmp_path, {"git": Read({"shop": AT})})
    assert version() == before
    Landing(tmp_path, "git").quarantine([Quarantined("commit", "shop", "b", "odd")])
    ingest.load(connection, tmp_path, {})
    assert version() != before
    before = version()
    Landing(tmp_path, "git").quarantine([Quarantined("commit", "shop", "b", "odd")])
    ingest.load(connection, tmp_path, {})
    assert version() == before
    load(connection, tmp_path, Batch("commit", "shop", [commit("b")]))
    assert version() != before


def test_coverage_follows_what_was_read(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    later = datetime(2026, 3, 2, 0, 1, tzinfo=UTC)
    ingest.load(connection, tmp_path, {"git": Read({"shop": AT, "till": AT})})
    ingest.load(connection, tmp_path, {"git": Read({"shop": later}, failed={"till"})})
    rows = connection.execute("select scope, epoch(covered_until) from raw.coverage order by all").fetchall()
    assert rows == [("shop", later.timestamp()), ("till", AT.timestamp())]


def test_what_a_source_no_longer_has_is_removed(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    landing = Landing(tmp_path, "git")
    for name in ("shop", "till"):
        landing.write(Batch("ref", name, [tag("1", repository=name)], cursor=1, is_whole=True))
    ingest.load(connection, tmp_path, {"git": Read({"shop": AT, "till": AT})})

    def repositories() -> list[str]:
        return [
            name for (name,) in connection.execute("select repository from raw.ref order by all").fetchall()
        ]

    ingest.load(connection, tmp_path, {"git": Read({"shop": AT}, is_complete=False)})
    ingest.load(connection, tmp_path, {"git": Read({"shop": AT}, failed={"till"})})
    ingest.load(connection, tmp_path, {"git": Read({"shop": AT}, failed={"/mnt/not-there/*"})})
    ingest.load(connection, tmp_path, {"other": Read({})})
    assert repositories() == ["shop", "till"]
    ingest.load(connection, tmp_path, {"git": Read({"shop": AT})})
    assert repositories() == ["shop"]
    assert ingest.cursors(connection, "git") == {"shop": 1}


def test_what_a_load_changes_is_noted_once_there_is_a_build(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    def noted() -> list[tuple[object, ...]]:
        return connection.execute("select name, sha, is_new from delta.ref order by all").fetchall()

    load(connection, tmp_path, Batch("ref", "shop", [tag("same"), tag("moved"), tag("gone")], is_whole=True))
    with pytest.raises(duckdb.CatalogException):
        noted()
    connection.execute("insert into built.build select '', version from raw.version")
    load(
        connection,
        tmp_path,
        Batch("ref", "shop", [tag("same"), tag("moved", "b"), tag("new")], is_whole=True),
    )
    assert noted() == [("gone", "a", False), ("moved", "a", False), ("moved", "b", True), ("new", "a", True)]


def test_a_damaged_file_is_named_with_its_mend(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    (tmp_path / "git").mkdir()
    (tmp_path / "git" / "1-ref.parquet").write_bytes(b"rubbish")
    with pytest.raises(LandingError, match=r"1-ref\.parquet is damaged\. Delete it and run"):
        ingest.load(connection, tmp_path, {})


def test_what_is_mended_leaves_the_quarantine(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    def load_refs(*bad: str) -> list[tuple[str]]:
        landing = Landing(tmp_path, "git")
        if bad:
            landing.quarantine([Quarantined("ref", "shop", name, "is odd") for name in bad])
        landing.write(Batch("ref", "shop", [tag("v1")], is_whole=True))
        ingest.load(connection, tmp_path, {})
        return connection.execute("select id from raw.quarantine order by id").fetchall()

    assert load_refs("a", "b") == [("a",), ("b",)]
    assert load_refs("b") == [("b",)]
    assert load_refs() == []
