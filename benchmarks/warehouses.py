"""Warehouses of made-up organisations, each made once for all benchmarks.

They are in a temporary folder, or in `CAIRN_BENCH`, where they stay for the next time.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import duckdb

from benchmarks import organisation
from benchmarks.organisation import Size
from pipelines import modelling, refresh, warehouse
from pipelines.home import Home


@contextmanager
def generated(size: Size, repositories: int | None = None) -> Iterator[Home]:
    """A home whose warehouse holds `raw.*` alone: a copy, to do with as one likes."""
    kept = _folder() / f"{size.pull_requests}-{size.services}-{repositories}.duckdb"
    if not kept.exists():
        began = time.perf_counter()
        making = kept.with_suffix(".making")
        making.unlink(missing_ok=True)
        with duckdb.connect(making) as connection:
            # In order, it would all have to be in memory at once.
            connection.execute("set TimeZone = 'UTC'; set preserve_insertion_order = false")
            organisation.generate(connection, size, repositories=repositories)
        making.rename(kept)
        print(f"(the organisation was made in {time.perf_counter() - began:.0f} s)", flush=True)
    with tempfile.TemporaryDirectory(dir=_folder()) as name:
        home = Home(Path(name))
        home.create()
        shutil.copyfile(kept, home.warehouse)
        yield home


@contextmanager
def copied(home: Home) -> Iterator[Home]:
    """A home with a copy of the warehouse, to do with as one likes."""
    with tempfile.TemporaryDirectory(dir=_folder()) as name:
        copy = Home(Path(name))
        copy.create()
        shutil.copyfile(home.warehouse, copy.warehouse)
        yield copy


def built(size: Size) -> Home:
    """A home with a published snapshot, made by the models as they are; made now unless there is one."""
    home = Home(_folder() / f"{size.pull_requests}-published-{modelling.fingerprint()[:12]}")
    if not warehouse.current_id(home):
        with generated(size) as making:
            with warehouse.writing(making) as connection:
                for _ in refresh.build(connection, organisation.workspace()):
                    pass
            keep(making, size)
    return home


def keep(home: Home, size: Size) -> None:
    """Publish what was built, where `built` finds it."""
    to = Home(_folder() / f"{size.pull_requests}-published-{modelling.fingerprint()[:12]}")
    to.create()
    with warehouse.writing(home) as connection:
        warehouse.publish(connection, to, refresh.built_fingerprint(connection) or "")


@cache
def _folder() -> Path:
    if kept := os.environ.get("CAIRN_BENCH"):
        Path(kept).mkdir(parents=True, exist_ok=True)
        return Path(kept)
    return Path(_temporary().name)


@cache
def _temporary() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="cairn-bench-")
