"""`cairn metrics` of adoption: by capability, too."""

from __future__ import annotations

import csv
import json
from datetime import date, timedelta
from io import StringIO
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cairn.cli import app
from pipelines import warehouse
from pipelines.figures import ROW_KEYS
from pipelines.home import Home
from tests.pipelines.adoption import hand_filled
from tests.pipelines.adoption.given import Capability, Evidence, Given, Service, daily

FIRST, LAST = date(2026, 1, 5), date(2026, 3, 31)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A published snapshot in which one of two services uses one of two capabilities."""
    folder = tmp_path_factory.mktemp("home")
    given = Given(LAST, [Service("web", tier="tier-1"), Service("cart")], teams={"platform": None})
    for service in ("web", "cart"):
        given.commits += daily(service, FIRST - timedelta(days=90), LAST, "ada", "bob", "cyd")
    given.capabilities = [Capability(name, eligible=frozenset({"web", "cart"})) for name in ("ci", "db")]
    given.evidence = [Evidence("ci", "web", FIRST, is_state=True)]
    connection = hand_filled.fill(given)
    hand_filled.build(connection, ["marts.reach", "marts.breadth"])
    connection.execute(
        "create table marts.metric_definition as select unnest(['breadth', 'reach']) as metric"
    )
    place = Home(folder)
    place.published.mkdir(parents=True)
    warehouse.publish(connection, place, "0" * 12)
    connection.close()
    return folder


def told(home: Path, *arguments: str) -> Result:
    done = CliRunner(env={"CAIRN_HOME": str(home)}).invoke(
        app, ["metrics", *arguments, "--since", "2026-03-01", "--until", "2026-04-01"]
    )
    assert done.exit_code == 0, done.output
    return done


def test_each_capability_is_told_with_the_keys_of_every_row(home: Path) -> None:
    rows = json.loads(told(home, "reach", "--by", "capability", "--format", "json").stdout)
    assert {tuple(row) for row in rows} == {(*ROW_KEYS, "capability")}
    assert [(row["capability"], row["level"], row["value"], row["n"]) for row in rows] == [
        ("ci", "organisation", 0.5, 2),
        ("db", "organisation", 0.0, 2),
    ]


def test_the_organisation_has_the_platform_as_a_whole_as_well(home: Path) -> None:
    rows = json.loads(told(home, "reach", "--format", "json").stdout)
    assert [row["capability"] for row in rows] == [None, "ci", "db"]


@pytest.mark.parametrize(("level", "key"), [("service", "web"), ("tier", "tier-1"), ("kind", "service")])
def test_every_level_has_rows(home: Path, level: str, key: str) -> None:
    rows = list(csv.DictReader(StringIO(told(home, "reach", "--by", level, "--format", "csv").stdout)))
    assert key in {row["key"] for row in rows}
    assert {row["capability"] for row in rows} == {"", "ci", "db"}


def test_a_table_names_the_capability_first(home: Path) -> None:
    lines = told(home, "reach", "--by", "capability").stdout.splitlines()
    assert lines[1].split()[:2] == ["capability", "key"]
    assert lines[2].split()[:5] == ["ci", "Acme", "2026-03-01", "50.0", "%"]
