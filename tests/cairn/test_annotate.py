"""`cairn annotate` over a published snapshot."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cairn.cli import app
from pipelines.home import Home
from tests.dashboards import snapshot
from tests.dashboards.snapshot import Plan


@pytest.fixture
def home(tmp_path: Path) -> Path:
    snapshot.publish(Home(tmp_path), Plan({"shop": "Payments"}, every_days=90), "first")
    return tmp_path


def annotate(home: Path, *arguments: str) -> Result:
    return CliRunner(env={"CAIRN_HOME": str(home)}).invoke(app, ["annotate", *arguments])


def test_one_is_added_listed_and_removed(home: Path) -> None:
    added = annotate(home, "add", "=Reorganisation", "--date", "2026-03-02", "--team", "Payments")
    assert added.exit_code == 0, added.output
    annotate(home, "add", "Freeze", "--date", "2026-01-02")
    rows = json.loads(annotate(home, "list", "--format", "json").stdout)
    assert [(row["text"], row["date"], row["level"], row["key"]) for row in rows] == [
        ("Freeze", "2026-01-02", "organisation", None),
        ("=Reorganisation", "2026-03-02", "team", "Payments"),
    ]
    assert "'=Reorganisation" in annotate(home, "list", "--format", "csv").stdout
    assert annotate(home, "remove", added.stdout.strip()).exit_code == 0
    assert "Reorganisation" not in annotate(home, "list").stdout


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("add", "x", "--date", "2026-01-02", "--team", "Paymens"), 2, "Did you mean `Payments`"),
        (("add", "x", "--date", "2026-01-02", "--service", "till"), 2, "there is no service till"),
        (("add", "x", "--date", "2026-01-02", "--capability", "gold"), 2, "there is no capability gold"),
        (("add", "x", "--date", "2026-01-02", "--team", "a", "--service", "b"), 2, "name one of"),
        (("add", "x", "--date", "tomorrow"), 2, "--date"),
        (("add", "jo@acme.example", "--date", "2026-01-02"), 1, "not a person"),
        (("remove", "nothing"), 1, "There is no annotation nothing."),
    ],
)
def test_what_cannot_be_is_said(home: Path, arguments: tuple[str, ...], code: int, said: str) -> None:
    done = annotate(home, *arguments)
    assert done.exit_code == code
    assert said in " ".join(done.output.replace("│", " ").split())
    assert annotate(home, "list").stdout.strip() == "There is none yet: `cairn annotate add` adds one."
