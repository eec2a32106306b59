"""Fixtures of the connectors' tests."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import stamina

from tests.connectors.git_host import GitHost


@pytest.fixture(autouse=True)
def no_waiting() -> Iterator[None]:
    """Retries as ever, without the pauses."""
    with stamina.set_testing(True, attempts=3, cap=True):
        yield


@pytest.fixture
def git_host(tmp_path: Path) -> Iterator[GitHost]:
    folder = tmp_path / "host"
    folder.mkdir()
    with GitHost(folder) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()
