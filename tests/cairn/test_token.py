"""`cairn token`: what a token opens and until when is said when it is made, and by the list."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cairn.cli import app
from pipelines import credentials
from pipelines.credentials import May
from pipelines.home import Home


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CAIRN_HOME", str(tmp_path / "home"))
    Path("cairn.yaml").touch()
    return Home(tmp_path / "home")


def cairn(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["token", *arguments])


def listed() -> dict[str, dict[str, object]]:
    return {row["name"]: row for row in json.loads(cairn("list", "--format", "json").stdout)}


def test_a_token_is_shown_once_listed_and_revoked(home: Home) -> None:
    token = cairn("create", "bi", "--may", "metrics, surveys").stdout.strip()
    found = credentials.by_token(home, token)
    assert found
    assert found.may == {May.metrics, May.surveys}
    today = datetime.now(UTC).date()
    assert listed()["bi"] == {
        "name": "bi", "kind": "token", "may": "metrics,surveys", "created_on": str(today),
        "expires_on": str(today + timedelta(days=90)), "has_expired": False, "last_used_on": str(today),
    }  # fmt: skip
    assert token not in cairn("list").stdout
    assert cairn("revoke", "bi").exit_code == 0
    assert credentials.by_token(home, token) is None
    assert "None." in cairn("list").stdout


def test_how_long_it_holds_is_to_be_chosen(home: Home) -> None:
    for length in ("1d", "never"):
        assert cairn("create", length, "--may", "metrics", "--expires", length).exit_code == 0
    assert listed()["1d"]["expires_on"] == str(datetime.now(UTC).date() + timedelta(days=1))
    assert listed()["never"]["expires_on"] is None


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["bi", "--may", "metrics,people"], 2, "people is nothing to open"),
        (["bi", "--may", ""], 2, "metrics, adoption, surveys"),
        (["bi"], 2, "--may"),
        (["bi", "--may", "metrics", "--expires", "soon"], 2, "no length of time"),
        (["bi", "--may", "metrics", "--expires", "0d"], 2, "no length of time"),
        (["b/i", "--may", "metrics"], 1, "letters, digits"),
    ],
)
def test_what_cannot_be_made_is_said(home: Home, arguments: list[str], code: int, says: str) -> None:
    result = cairn("create", *arguments)
    assert (result.exit_code, result.stdout) == (code, "")
    assert says in " ".join(result.stderr.replace("│", " ").split())
    assert listed() == {}


def test_what_is_damaged_is_said(home: Home) -> None:
    home.create()
    (home.root / "credentials.json").write_text("{")
    for arguments in (["list"], ["revoke", "bi"], ["create", "bi", "--may", "metrics"]):
        result = cairn(*arguments)
        assert result.exit_code == 1
        assert "is damaged" in result.stderr
