"""Syncs in processes of their own, so that they can be killed, and what they leave."""

from __future__ import annotations

import importlib
import multiprocessing
import os
import shutil
import signal
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any

from connectors.git import GitOptions
from pipelines import modelling, warehouse
from pipelines.home import Home
from pipelines.workspace import SourceConfig, Workspace
from tests.pipelines.modelled import only

# Forked from a server that has imported everything and holds no lock and no thread.
_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(
    [
        "pipelines.job", "pipelines.event_log", "dagster._core.storage.legacy_storage", "pandas",
        "scipy.stats", "ruptures", "holidays", __name__,
    ]
)  # fmt: skip
modelling.models()


def workspace(*repositories: Path) -> Workspace:
    options = GitOptions(repositories=tuple(str(path) for path in repositories))
    return Workspace(organisation="Acme", sources=(SourceConfig(kind="git", name="git", options=options),))


Call = tuple[str, int]
"""A function, by its full name, and which call of it."""


def sync(
    home: Home,
    settings: Workspace,
    *,
    is_full: bool = False,
    kill_at: Call | None = None,
    copy_at: Mapping[Path, Call] | None = None,
    models: tuple[str, ...] | None = None,
) -> multiprocessing.process.BaseProcess:
    """Run the job to its end, or until a call of a function kills the process before it.

    Before each call of `copy_at` the home is copied: what is left where the process is killed there.
    `models` are those that are looked at, all unless given.
    """
    process = start(home, settings, is_full=is_full, kill_at=kill_at, copy_at=copy_at, models=models)
    process.join(100)
    return process


def start(
    home: Home,
    settings: Workspace,
    *,
    is_full: bool = False,
    kill_at: Call | None = None,
    copy_at: Mapping[Path, Call] | None = None,
    models: tuple[str, ...] | None = None,
) -> multiprocessing.process.BaseProcess:
    arguments = (home, settings, is_full, kill_at, copy_at or {}, models)
    process = _processes.Process(target=_sync, args=arguments)
    process.start()
    return process


def _sync(
    home: Home,
    settings: Workspace,
    is_full: bool,
    kill_at: Call | None,
    copy_at: Mapping[Path, Call],
    models: tuple[str, ...] | None,
) -> None:
    from pipelines.assets import Run
    from pipelines.job import run_in_foreground

    if kill_at:
        _before(kill_at, lambda: os.kill(os.getpid(), signal.SIGKILL))
    if copy_at:
        # Of a file that another thread writes meanwhile, a copy is no image.
        modelling.AT_ONCE = 1
    for copy, call in copy_at.items():
        _before(call, partial(shutil.copytree, home.root, copy))
    run = Run(home, settings, is_full=is_full)
    with only(*models) if models else nullcontext():
        is_done = run_in_foreground(run, source=None, on_wait=(home.root / "waited").touch)
    os._exit(0 if is_done and not run.broken else 1)


def _before(call: Call, act: Callable[[], object]) -> None:
    function, number = call
    owner_name, _, name = function.rpartition(".")
    owner: Any
    try:
        owner = importlib.import_module(owner_name)
    except ModuleNotFoundError:
        module, _, attribute = owner_name.rpartition(".")
        owner = getattr(importlib.import_module(module), attribute)
    real: Callable[..., Any] = getattr(owner, name)
    calls = 0

    def watched(*arguments: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == number:
            act()
        return real(*arguments, **named)

    setattr(owner, name, watched)


def published_rows(home: Home) -> dict[str, list[str]]:
    """Every published table but for the times of the sync itself, its rows in order.

    What the metrics' views add to `figures` and `marts.period` follows from these.
    """
    snapshot = warehouse.published(home)
    assert snapshot
    tables = snapshot.rows("select schema_name, table_name from duckdb_tables()")
    times = {"workspace": "exclude (published_at, covered_until)", "coverage": "exclude (covered_until)"}
    found: dict[str, list[str]] = {}
    for schema, name in (table.values() for table in tables):
        columns = f"* {times.get(name, '')}"
        sql = f"select t::varchar as row from (select {columns} from {schema}.{name}) as t order by all"
        found[name if schema == "marts" else f"{schema}.{name}"] = [
            each["row"] for each in snapshot.rows(sql)
        ]
    return found
