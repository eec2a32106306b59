"""What every test may use, and in what order tests are run."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from psutil import virtual_memory

LONGEST_FIRST = ("demo", "cairn", "pipelines", "dashboards", "surveys", "connectors")
"""Folders by how long their longest files take. A file begun last is waited for by all other processes."""


MEMORY = Path("/dev/shm")
ROOM_BYTES = 8 << 30


def pytest_configure() -> None:
    """Put the tests' files into memory where there is room: disks would take a third of the time."""
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
    ranks = {folder: rank for rank, folder in enumerate(LONGEST_FIRST)}
    tests = Path(__file__).parent
    items.sort(key=lambda item: ranks.get(item.path.relative_to(tests).parts[0], len(ranks)))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: much of the time is spent waiting, for browsers and other processes."""
    return (os.cpu_count() or 1) + 1
