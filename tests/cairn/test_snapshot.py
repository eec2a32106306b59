"""`cairn snapshot path`: where other tools find what is published."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from cairn.cli import app
from pipelines.home import Home


def test_it_is_told_once_something_is_published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CAIRN_HOME", str(tmp_path))
    Path("cairn.yaml").touch()
    home = Home(tmp_path)
    home.create()
    early = CliRunner().invoke(app, ["snapshot", "path"])
    assert (early.exit_code, early.stdout) == (1, "")
    assert "cairn sync" in early.stderr
    (home.published / "first.duckdb").touch()
    home.current_snapshot.symlink_to("published/first.duckdb")
    told = CliRunner().invoke(app, ["snapshot", "path"])
    assert (told.exit_code, told.stdout) == (0, f"{home.current_snapshot}\n")
