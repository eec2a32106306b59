"""Fixtures of the connectors' tests."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import stamina

from connectors.http import exchange as http_exchange
from tests.connectors.git_host import GitHost
from tests.connectors.http_script import Script, ok, scripted
from tests.histories import Upstream


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Retries as ever, without the pauses; what a tool says in `Retry-After` is waited for."""
    monkeypatch.setattr(http_exchange, "FIRST_PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(http_exchange, "UNSAID_LIMIT_SECONDS", 0.0)
    with stamina.set_testing(True, attempts=3, cap=True):
        yield


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def upstream(tmp_path: Path) -> Upstream:
    made = Upstream(tmp_path / "acme" / "shop.git")
    made.commit("first")
    return made


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


@pytest.fixture(scope="session")
def served_script() -> Iterator[Script]:
    with scripted(ok()) as script:
        yield script


@pytest.fixture
def script(served_script: Script) -> Script:
    """A server that answers as the test tells it to."""
    served_script.answers(ok())
    return served_script
