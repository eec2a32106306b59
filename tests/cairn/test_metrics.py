"""`cairn metrics` over a snapshot with every metric."""

from __future__ import annotations

import csv
import json
import re
from io import StringIO
from pathlib import Path
from typing import get_args

import pytest
from typer.testing import CliRunner

from cairn.cli import app
from dashboards.queries import Metric
from pipelines.figures import ADOPTION_ROW_KEYS, ROW_KEYS
from pipelines.home import Home
from tests.dashboards import snapshot
from tests.dashboards.snapshot import Plan

NAMES = get_args(Metric)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    snapshot.publish(Home(folder), Plan(every_days=20), "first")
    return folder


def told(home: Path, *arguments: str) -> str:
    """What is printed for January 2026 by service."""
    span = ("--by", "service", "--since", "2026-01-01", "--until", "2026-02-01")
    done = CliRunner(env={"CAIRN_HOME": str(home)}).invoke(app, ["metrics", *arguments, *span])
    assert done.exit_code == 0, done.output
    return done.stdout


def test_every_metric_is_told_in_every_format(home: Path) -> None:
    rows = json.loads(told(home, *NAMES, "--format", "json"))
    assert {row["metric"] for row in rows} == set(NAMES)
    assert {tuple(row) for row in rows} == {ROW_KEYS, ADOPTION_ROW_KEYS}
    assert {row["unit"] for row in rows} == {"count", "per_week", "ratio", "seconds"}
    cells = list(csv.DictReader(StringIO(told(home, *NAMES, "--format", "csv"))))
    assert [float(row["value"]) for row in cells if row["value"]] == [
        row["value"] for row in rows if row["value"] is not None
    ]
    assert {json.loads(row["excluded"]).get("bot", 3) for row in cells} == {3}


@pytest.mark.parametrize(
    ("metric", "value"),
    [
        ("change_fail_rate", r"1?\d\.\d %"), ("ci_duration_p50", r"\d+\.\d min"), ("wip", r"\d+"),
        ("batch_size", r"\d(\.\d)?"), ("deployment_days", r"\d\.\d\d"), ("pr_coding", r"\d\d?\.\d [hd]"),
    ],
)  # fmt: skip
def test_a_table_says_each_unit_for_people_in_eighty_columns(home: Path, metric: str, value: str) -> None:
    title, _, row = told(home, metric).splitlines()
    assert title.strip() == metric
    cells = [cell for cell in row.split("  ") if cell]
    assert cells[:2] == ["shop", "2026-01-01"]
    assert re.fullmatch(value, cells[2].strip())
    assert len(row.rstrip()) <= 80
