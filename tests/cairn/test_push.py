"""`cairn push`: tokens are shown once, listed by name, and taken back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cairn.cli import app
from pipelines import credentials
from pipelines.home import Home


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CAIRN_HOME", str(tmp_path / "home"))
    Path("cairn.yaml").touch()
    return Home(tmp_path / "home")


def cairn(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["push", *arguments])


def opens(home: Home, token: str) -> str | None:
    found = credentials.by_token(home, token)
    return found and found.name


def test_a_token_is_shown_once_and_can_be_taken_back(home: Home) -> None:
    token = cairn("token", "argo").stdout.strip()
    assert opens(home, token) == "argo"
    assert cairn("secret", "github").exit_code == 0
    listed = cairn("list", "--format", "json").stdout
    assert [(row["name"], row["kind"], row["may"]) for row in json.loads(listed)] == [
        ("argo", "token", "events"), ("github", "secret", "events"),
    ]  # fmt: skip
    assert token not in listed
    assert cairn("revoke", "argo").exit_code == 0
    assert opens(home, token) is None


def test_what_cannot_be_done_is_said(home: Home) -> None:
    assert cairn("token", "argo").exit_code == 0
    again = cairn("token", "argo")
    assert (again.exit_code, again.stdout) == (1, "")
    assert "There is a credential named argo" in again.stderr
    assert cairn("revoke", "nobody").exit_code == 1


def test_without_a_workspace_it_is_the_demo_that_is_sent_to(home: Home) -> None:
    Path("cairn.yaml").unlink()
    token = cairn("token", "argo").stdout.strip()
    assert opens(Home(home.root / "demo"), token) == "argo"
