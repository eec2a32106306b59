"""Killed anywhere in a sync of the demo, the next one comes to the same end."""

from __future__ import annotations

from pathlib import Path

import pytest

from demo.serve import Running
from pipelines.home import Home
from tests.demo.pulling import like, pull, tables, workspace
from tests.pipelines import syncing

pytestmark = pytest.mark.usefixtures("no_waiting")


@pytest.mark.parametrize(
    ("function", "call"),
    [
        ("pipelines.landing.Landing.write", 3),
        ("pipelines.landing.Landing.write", 300),
        ("pipelines.ingest._merge", 4),
        ("connectors.http.Client.graphql", 40),
    ],
)
def test_killed_midway_the_next_sync_comes_to_the_same_end(
    home: Home, tools: Running, tmp_path: Path, function: str, call: int
) -> None:
    other = like(home, tmp_path)
    killed = syncing.sync(other, workspace(tools), kill_at=(function, call))
    assert killed.exitcode == -9
    assert all(read.is_ok for read in pull(other, workspace(tools)))
    assert tables(other) == tables(home)
