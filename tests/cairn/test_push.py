"""`cairn push`: tokens are shown once, listed by name, and taken back."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cairn.cli import app
from pipelines import push
from pipelines.home import Home


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CAIRN_HOME", str(tmp_path / "home"))
    Path("cairn.yaml").touch()
    return Home(tmp_path / "home")


def cairn(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["push", *arguments])


def test_a_token_is_shown_once_and_can_be_taken_back(home: Home) -> None:
    token = cairn("token", "argo").stdout.strip()
    assert push.sender_by_token(home, token) == "argo"
    assert cairn("secret", "github").exit_code == 0
    listed = cairn("list").stdout
    assert [line.split("\t")[:2] for line in listed.splitlines()] == [["argo", "token"], ["github", "secret"]]
    assert token not in listed
    assert cairn("revoke", "argo").exit_code == 0
    assert push.sender_by_token(home, token) is None


def test_what_cannot_be_done_is_said(home: Home) -> None:
    assert cairn("token", "argo").exit_code == 0
    again = cairn("token", "argo")
    assert (again.exit_code, again.stdout) == (1, "")
    assert "There is a credential named argo" in again.stderr
    assert cairn("revoke", "nobody").exit_code == 1


def test_without_a_workspace_it_is_the_demo_that_is_sent_to(home: Home) -> None:
    Path("cairn.yaml").unlink()
    token = cairn("token", "argo").stdout.strip()
    assert push.sender_by_token(Home(home.root / "demo"), token) == "argo"
