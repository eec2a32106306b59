"""Without a workspace file the demo organisation is read, kept apart, and said to be one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from typer.testing import CliRunner

import demo.serve
from cairn.cli import app
from pipelines import warehouse
from pipelines.home import Home
from tests.demo import pulling
from tests.pipelines.modelled import only


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """Of the demo few repositories are read, and few models made of them."""
    monkeypatch.chdir(tmp_path)
    for name in ("CAIRN_HOME", "CAIRN_WORKSPACE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(demo.serve, "start", partial(demo.serve.start, scale=pulling.SCALE))
    settings = pulling.WORKSPACE.read_text()
    few = settings.replace("organization:", f"repositories: {json.dumps(pulling.FEW)}\n    organization:")
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "cairn.yaml").write_text(few)
    monkeypatch.setattr(demo, "__file__", str(tmp_path / "demo" / "__init__.py"))
    with only("marts.deployments", "marts.metric_definition", "marts.workspace"):
        yield Home(tmp_path / ".cairn")


def test_a_sync_without_a_workspace_reads_the_demo_and_keeps_it_apart(home: Home) -> None:
    synced = CliRunner().invoke(app, ["sync"])
    assert synced.exit_code == 0, synced.output
    assert "this is the demo organisation" in synced.output
    assert warehouse.published(home) is None
    snapshot = warehouse.published(Home(home.root / "demo"))
    assert snapshot is not None
    assert snapshot.rows("select is_demo from marts.workspace") == [{"is_demo": True}]
    rows = CliRunner().invoke(app, ["metrics", "deployments", "--grain", "year", "--format", "json"])
    assert sum(row["value"] or 0 for row in json.loads(rows.stdout)) > 50
    again = CliRunner().invoke(app, ["demo", "sync"])
    assert again.exit_code == 0
    assert "Nothing new" in again.output


def test_servers_that_cannot_start_are_one_line(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise demo.serve.DemoError("the demo's servers ended with exit code 1: no space left")

    monkeypatch.setattr(demo.serve, "start", refuse)
    result = CliRunner().invoke(app, ["demo", "sync"])
    assert result.exit_code == 1
    assert "no space left" in result.output
    assert "Traceback" not in result.output
