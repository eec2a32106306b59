"""Killed anywhere in a sync of the demo, the next one comes to the same end."""

from __future__ import annotations

from pathlib import Path

import pytest

from demo.serve import Running
from pipelines.home import Home
from tests.demo.pulling import few, like, pull, tables, workspace
from tests.pipelines import syncing

pytestmark = pytest.mark.usefixtures("no_waiting")


@pytest.fixture(scope="module")
def home(tools: Running, tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = Home(tmp_path_factory.mktemp("home"))
    assert all(read.is_ok for read in pull(home, few(workspace(tools))))
    return home


@pytest.mark.parametrize(
    ("function", "call"),
    [
        ("pipelines.landing.Landing.write_soon", 3),
        ("pipelines.landing.Landing.write_soon", 100),
        ("pipelines.ingest._merge", 4),
        ("connectors.http.Client.graphql", 8),
    ],
)
def test_killed_midway_the_next_sync_comes_to_the_same_end(
    home: Home, tools: Running, tmp_path: Path, function: str, call: int
) -> None:
    other = like(home, tmp_path)
    settings = few(workspace(tools))
    # It does not come to a model.
    killed = syncing.sync(other, settings, kill_at=(function, call), models=("marts.workspace",))
    assert killed.exitcode == -9
    assert all(read.is_ok for read in pull(other, settings))
    assert tables(other) == tables(home)
