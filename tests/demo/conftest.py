"""Fixtures of the demo's tests: its tools, and a home they were read into once, a set for each module."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import stamina

from connectors.http import Client
from demo.organisation import Organisation, organisation
from demo.serve import SEED, Running, start
from pipelines.home import Home
from tests.demo.pulling import SCALE, pull, workspace


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Patience without the pauses."""
    defaults: Any = Client.__init__.__kwdefaults__
    monkeypatch.setitem(defaults, "timeout_seconds", 2.0)
    for method in ("pause", "_block"):
        monkeypatch.setattr(f"connectors.http.exchange.Exchange.{method}", lambda *_: None)
    with stamina.set_testing(True, attempts=6, cap=True):
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("organisation")


@pytest.fixture(scope="module")
def tools(folder: Path) -> Iterator[Running]:
    with start(folder, scale=SCALE) as running:
        yield running


@pytest.fixture(scope="module")
def made(tools: Running, folder: Path) -> Organisation:
    end = json.loads((folder / "organisation.json").read_text())["end"]
    return organisation(SEED, datetime.fromisoformat(end), scale=SCALE)


@pytest.fixture(scope="module")
def home(tools: Running, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Read once, without faults."""
    home = Home(tmp_path_factory.mktemp("home"))
    reads = pull(home, workspace(tools))
    assert all(read.is_ok for read in reads), [(read.error, read.problems) for read in reads]
    return home
