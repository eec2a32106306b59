"""The survey store's database: SQLite in a file, or PostgreSQL by URL; brought up to date on opening."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import ConnectionPoolEntry

from surveys.errors import StoreError, StoreGone

_BUSY_SECONDS = 60
# Kept open: a connection costs more than what it is asked. The others wait for one of them.
_POOL: dict[str, Any] = {"pool_size": 8, "max_overflow": 0, "pool_timeout": _BUSY_SECONDS}
_MIGRATION_LOCK = 0x43414952
_BEGIN = "cairn_begin"
"""Execution option: the statement that begins a transaction in SQLite; empty for none."""


class Database:
    """Connections to the store: many that read, and within this process one that writes."""

    def __init__(self, url: str) -> None:
        parsed = make_url(url)
        backend = parsed.get_backend_name()
        if backend not in {"sqlite", "postgresql"}:
            raise StoreError(f"surveys are stored in sqlite or postgresql, not in {backend}")
        self._path = Path(parsed.database) if backend == "sqlite" and parsed.database else None
        self._name = str(self._path or parsed.render_as_string(hide_password=True))
        self._writing = threading.Lock()
        # `hide_parameters`: no error or log of a statement may hold an answer.
        if self._path:
            _create_private(self._path)
            self._inode = self._path.stat().st_ino
            self.engine = create_engine(
                parsed,
                hide_parameters=True,
                **_POOL,
                connect_args={"timeout": _BUSY_SECONDS, "check_same_thread": False},
            )
            event.listen(self.engine, "connect", _prepare_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)
        else:
            self.engine = create_engine(
                parsed.set(drivername="postgresql+psycopg"), hide_parameters=True, pool_pre_ping=True, **_POOL
            )
        with self._said():
            _migrate(self.engine)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One transaction that reads."""
        with self._said(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction that writes, committed on leaving and by then on disk; alone in this process."""
        with self._said(), self._writing:
            engine = self.engine.execution_options(**{_BEGIN: "begin immediate"})
            with engine.begin() as connection:
                yield connection

    def vacuum(self) -> None:
        """Leave nothing of deleted rows in the files."""
        with self._said(), self._writing if self._path else nullcontext():
            if not self._path:
                engine = self.engine.execution_options(isolation_level="AUTOCOMMIT")
                with engine.connect() as connection:
                    connection.execute(text("vacuum full invite, answer, released_cell"))
                return
            with self.engine.execution_options(**{_BEGIN: ""}).connect() as connection:
                connection.execute(text("vacuum"))
                busy = connection.execute(text("pragma wal_checkpoint(truncate)")).one()[0]
        if busy:
            raise StoreError(
                f"{self._name} is being read by others: its log can't be emptied yet; close again"
            )

    def dispose(self) -> None:
        """Close the connections."""
        self.engine.dispose()

    @contextmanager
    def _said(self) -> Iterator[None]:
        """In the end the file must be the one opened: SQLite goes on writing to one that was deleted."""
        self._check()
        try:
            yield
        except (DBAPIError, PoolTimeoutError) as error:
            self._check()
            cause = error.orig if isinstance(error, DBAPIError) else error
            raise StoreGone(f"the survey store {self._name} failed: {cause}".strip()) from None
        self._check()

    def _check(self) -> None:
        if self._path is None:
            return
        try:
            is_there = self._path.stat().st_ino == self._inode
        except FileNotFoundError:
            is_there = False
        if not is_there:
            raise StoreGone(
                f"{self._path} was deleted or replaced while it was open: put it back or restore a backup, "
                "then start Cairn again; what was not acknowledged is to be sent again"
            )


def _create_private(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


def _prepare_sqlite(connection: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
    # Transactions begin where SQLAlchemy says so, not where sqlite3 guesses.
    connection.isolation_level = None
    for pragma in (
        "journal_mode=wal",
        "synchronous=full",
        "secure_delete=on",
        "temp_store=memory",
        "foreign_keys=on",
    ):
        connection.execute(f"pragma {pragma}").close()


def _begin_sqlite(connection: Connection) -> None:
    if statement := connection.get_execution_options().get(_BEGIN, "begin"):
        connection.exec_driver_sql(statement)


def _migrate(engine: Engine) -> None:
    config = Config()
    scripts = str(Path(__file__).with_name("migrations"))
    config.set_main_option("script_location", scripts.replace("%", "%%"))
    head = ScriptDirectory.from_config(config).get_current_head()
    with engine.connect() as connection:
        if MigrationContext.configure(connection).get_current_revision() == head:
            return
    with engine.execution_options(**{_BEGIN: "begin immediate"}).begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
        found = MigrationContext.configure(connection).get_current_revision()
        known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
        if found is not None and found not in known:
            raise StoreError(f"the survey store has tables of a newer Cairn (revision {found}): update Cairn")
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
