"""The store's database: its tables through migrations, and what is said when it goes away."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text

from surveys.store import Store, StoreError, StoreGone, tables
from surveys.store import database as module
from surveys.store.database import Database
from tests.surveys.postgres import Cluster
from tests.surveys.pulse import WAVE, people, pulse


def test_migrations_make_the_tables_that_the_code_uses(store_url: str) -> None:
    database = Database(store_url)
    with database.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), tables.metadata) == []
    database.dispose()


def test_several_open_a_new_store_at_once(store_url: str, tmp_path: Path) -> None:
    def open_and_close(_: int) -> None:
        Store(store_url, tmp_path / "keys").dispose()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(open_and_close, range(4)))


def test_a_newer_store_is_not_touched(store_url: str) -> None:
    database = Database(store_url)
    with database.writing() as connection:
        connection.execute(text("update alembic_version set version_num = '9999'"))
    database.dispose()
    with pytest.raises(StoreError, match="newer Cairn"):
        Database(store_url)


def test_other_databases_are_refused() -> None:
    with pytest.raises(StoreError, match="not in mysql"):
        Database("mysql://survey:secret@127.0.0.1/survey")


@pytest.mark.parametrize("replaced", [False, True])
def test_a_file_deleted_under_the_store_acknowledges_nothing(replaced: bool, tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with pulse(f"sqlite:///{path}", tmp_path / "keys", people(2)) as survey:
        one, other = survey.tokens.values()
        assert survey.store.submit(one, {})
        backup = shutil.copy(path, tmp_path / "backup.db")
        path.unlink()
        if replaced:
            shutil.move(backup, path)
        for ask in (survey.store.look_up, lambda token: survey.store.submit(token, {})):
            with pytest.raises(StoreGone, match=r"store\.db was deleted or replaced"):
                ask(other)


def test_a_file_deleted_while_a_submission_is_written_acknowledges_nothing(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with pulse(f"sqlite:///{path}", tmp_path / "keys", people(1)) as survey:
        (token,) = survey.tokens.values()
        database = survey.store._database

        def write() -> None:
            with database.writing() as connection:
                connection.execute(text("update invite set is_used = true"))
                path.unlink()

        with pytest.raises(StoreGone):
            write()
        with pytest.raises(StoreGone):
            survey.store.submit(token, {})


def test_a_dropped_database_is_said_and_holds_no_secret(cluster: Cluster, tmp_path: Path) -> None:
    name = cluster.create()
    with pulse(cluster.url(name), tmp_path / "keys", people(2)) as survey:
        (token, _) = survey.tokens.values()
        cluster.drop(name)
        with pytest.raises(StoreGone, match="failed") as raised:
            survey.store.submit(token, {"improve-one": "private"})
    assert token not in str(raised.value)


def test_no_server_is_said(tmp_path: Path) -> None:
    with pytest.raises(StoreGone) as raised:
        Store("postgresql://survey:secret@127.0.0.1:1/survey", tmp_path / "keys")
    assert "secret" not in str(raised.value)


def test_a_store_that_others_read_closes_as_soon_as_they_are_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_BUSY_SECONDS", 0.1)
    url = f"sqlite:///{tmp_path}/store.db"
    with pulse(url, tmp_path / "keys", people(6)) as survey:
        for token in survey.tokens.values():
            survey.store.submit(token, {})
        survey.end()
        reader = Database(url)
        with reader.reading() as connection:
            connection.execute(text("select count(*) from invite")).one()
            with pytest.raises(StoreError, match="close again"):
                survey.store.close(WAVE.id)
        assert survey.store.wave(WAVE.id).state == "closing"
        survey.store.close(WAVE.id)
        assert len(survey.store.answers(WAVE.id)) == 6
        reader.dispose()
