"""What every test may use, and in what order tests are run."""

from __future__ import annotations

import gc
import os
import shutil
import sys
from pathlib import Path

import pytest
from psutil import virtual_memory
from xdist.scheduler import LoadFileScheduling  # type: ignore[import-untyped]

LONGEST_FIRST = (
    "dashboards/pages", "demo/test_sync.py", "pipelines/test_kill.py", "demo/test_truths.py",
    "cairn/test_up.py", "pipelines/test_sync.py", "pipelines/test_refresh.py", "demo/test_kill.py",
    "dashboards/test_pulse_browser.py", "dashboards/test_sign_in.py", "pipelines/test_reference.py",
    "cairn/test_cli.py",
    "demo", "cairn", "pipelines", "dashboards", "surveys", "connectors", "",
)  # fmt: skip
"""Files and folders by how long they take. What is begun last is waited for by all other processes."""


MEMORY = Path("/dev/shm")
ROOM_BYTES = 8 << 30


def pytest_configure() -> None:
    """Keep what is compiled, and put the tests' files into memory where there is room.

    Disks would take a third of the time; and every process would compile all modules anew.
    """
    sys.dont_write_bytecode = False
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    gc.disable()
    if not os.access(MEMORY, os.W_OK):
        return
    if min(shutil.disk_usage(MEMORY).free, virtual_memory().available) > ROOM_BYTES:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--screenshots", metavar="FOLDER", help="Put pictures of the pages there")
    parser.addoption(
        "--update-definitions", action="store_true", help="Write tests/pipelines/definitions.json anew"
    )


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Pictures are taken when somebody asks for them."""
    return (collection_path.name == "test_screenshots.py" and not config.getoption("--screenshots")) or None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    tests = Path(__file__).parent

    def rank(item: pytest.Item) -> int:
        path = item.path.relative_to(tests).as_posix()
        return next(rank for rank, start in enumerate(LONGEST_FIRST) if path.startswith(start))

    items.sort(key=rank)


def pytest_collection_finish() -> None:
    """Nothing of what is imported goes away: to look for garbage in it took a third of the collection."""
    gc.enable()
    gc.freeze()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Twice the cores: much of the time is spent waiting, for browsers and other processes."""
    return 2 * (os.cpu_count() or 1)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> LoadFileScheduling | None:
    return _ByServer(config, log) if config.getoption("dist") == "loadfile" else None


class _ByServer(LoadFileScheduling):  # type: ignore[misc]
    """A file's tests are run by one process, and so is each half of those of the pages.

    Every process that has some starts a browser and a dashboard: ten seconds of a processor.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = Path(super()._split_scope(nodeid))
        return f"{file.parent} {file.name < 'test_p'}" if file.parent.name == "pages" else str(file)
