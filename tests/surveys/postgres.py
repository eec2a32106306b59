"""A PostgreSQL of the tests' own: made, started on a free port of this machine, and removed again."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

USER = "survey"


@dataclass(frozen=True)
class Cluster:
    """A running PostgreSQL."""

    folder: Path
    port: int

    @property
    def log(self) -> Path:
        return self.folder / "log"

    def url(self, database: str) -> str:
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{database}"

    def execute(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement)

    def create(self, template: str = "template1") -> str:
        """A new database, a copy of `template`."""
        name = f"survey_{secrets.token_hex(6)}"
        self.execute(
            sql.SQL("create database {} template {}").format(sql.Identifier(name), sql.Identifier(template))
        )
        return name

    def drop(self, database: str) -> None:
        """Drop it under whoever is connected."""
        self.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(database)))


def binaries() -> Path | None:
    """The folder with `initdb` and `pg_ctl`, the newest where Debian has several."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    versions = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    return max((path.parent for path in versions), key=lambda path: int(path.parent.name), default=None)


@contextmanager
def running(folder_of_binaries: Path) -> Iterator[Cluster]:
    """A new cluster that keeps commit timestamps: an attacker may have them."""
    # PostgreSQL refuses to run as root.
    account = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="cairn-postgres-"))
    if account:
        os.chown(folder, account.pw_uid, account.pw_gid)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    cluster = Cluster(folder, port)

    def run(program: str, *arguments: str) -> None:
        command = [str(folder_of_binaries / program), *arguments]
        done = subprocess.run(
            command,
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            user=account and account.pw_uid,
            group=account and account.pw_gid,
        )
        assert done.returncode == 0, f"{program}: {done.stdout}"

    data = str(folder / "data")
    options = {
        "port": port,
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        "max_connections": 60,
        "fsync": "off",  # a test ends the server's clients, never the machine
        "track_commit_timestamp": "on",
    }
    try:
        run(
            "initdb",
            "--pgdata",
            data,
            "--username",
            USER,
            "--auth",
            "trust",
            "--encoding",
            "UTF8",
            "--no-sync",
        )
        started = " ".join(f"-c {name}={value!r}" for name, value in options.items())
        log = str(cluster.log)
        # The server inherits its output from pg_ctl, so pg_ctl's must be no pipe that is waited for.
        run("pg_ctl", "start", "--pgdata", data, "--wait", "--silent", "--log", log, "--options", started)
        yield cluster
    finally:
        run("pg_ctl", "stop", "--pgdata", data, "--mode", "immediate", "--silent")
        shutil.rmtree(folder)
