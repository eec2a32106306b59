"""The command line as people and scripts use it: output, exit codes, messages."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cairn.cli import app
from pipelines.figures import ROW_KEYS
from pipelines.home import Home
from tests.histories import Upstream, imported
from tests.pipelines import syncing
from tests.pipelines.modelled import only

Cli = Callable[..., Result]

ASKED_FOR = (
    "marts.change", "marts.change_lead_time", "marts.coverage", "marts.data_quality",
    "marts.deployment_frequency", "marts.deployments", "marts.environment", "marts.evidence_rule",
    "marts.metric_definition", "marts.quarantine", "marts.service", "marts.team", "marts.workspace",
)  # fmt: skip
"""The models behind what `cairn metrics` is asked for and what `cairn doctor` looks at."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working directory with a workspace, synced."""
    folder = tmp_path_factory.mktemp("work")
    history = imported(folder / "sqlite-utils.git")
    (folder / "cairn.yaml").write_text(
        "organisation: Acme\nsources:\n  - {kind: git, repositories: [./*.git]}\n"
    )
    synced = syncing.sync(Home(folder / ".cairn"), syncing.workspace(history), models=ASKED_FOR)
    assert synced.exitcode == 0
    return folder


@pytest.fixture
def cli(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    monkeypatch.chdir(folder)
    for name in ("CAIRN_HOME", "CAIRN_WORKSPACE"):
        monkeypatch.delenv(name, raising=False)
    return lambda *arguments: CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_json_is_a_list_of_the_rows_with_exactly_their_keys(cli: Cli) -> None:
    result = cli(
        "metrics",
        "change_lead_time",
        "deployments",
        "--by",
        "service",
        "--since",
        "2026-07-01",
        "--until",
        "2026-08-01",
        "--format",
        "json",
    )
    assert result.exit_code == 0
    rows = json.loads(result.stdout)
    assert [tuple(row) for row in rows] == [ROW_KEYS, ROW_KEYS]
    lead_time, deployments = rows
    assert (lead_time["metric"], lead_time["unit"], lead_time["n"]) == ("change_lead_time", "seconds", 231)
    assert (lead_time["period_start"], lead_time["period_end"]) == ("2026-07-01", "2026-08-01")
    assert deployments["value"] == 2
    assert isinstance(lead_time["excluded"], dict)
    assert lead_time["partial"] is False


def test_csv_has_a_header_and_empty_cells_for_null(cli: Cli) -> None:
    result = cli(
        "metrics", "deployment_frequency", "--by", "repository", "--grain", "year", "--format", "csv"
    )
    rows = list(csv.DictReader(StringIO(result.stdout)))
    assert tuple(rows[0]) == ROW_KEYS
    assert {row["low"] for row in rows} == {""}
    assert [row["period_start"] for row in rows][:2] == ["2018-01-01", "2019-01-01"]


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working directory with a repository of an odd name, and one whose tag is no release; both synced."""
    folder = tmp_path_factory.mktemp("odd")
    formula, shop = Upstream(folder / "=HYPERLINK(0).git"), Upstream(folder / "shop.git")
    for upstream, tag in ((formula, "1.0.0"), (shop, "release-1")):
        upstream.commit()
        upstream.tag(tag)
    settings = "organisation: Acme\nsources:\n  - {kind: git, repositories: [./*.git, ./gone.git]}\n"
    (folder / "cairn.yaml").write_text(settings)
    repositories = syncing.workspace(formula.path, shop.path)
    assert syncing.sync(Home(folder / ".cairn"), repositories, models=ASKED_FOR).exitcode == 0
    return folder


def test_a_csv_cell_is_never_a_formula(cli: Cli, odd: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAIRN_HOME", str(odd / ".cairn"))
    result = cli("metrics", "deployments", "--by", "service", "--format", "csv")
    keys = {row["key"] for row in csv.DictReader(StringIO(result.stdout))}
    assert keys == {"'=HYPERLINK(0)", "shop"}


def test_a_table_fits_eighty_columns_and_says_durations_for_people(cli: Cli) -> None:
    result = cli("metrics", "change_lead_time", "--by", "service", "--since", "2026-07-01")
    assert "8.1 d" in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 80


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["metrics", "velocity"], "change_lead_time"),
        (["metrics", "deployments", "--since", "2026-02-30"], "--since"),
        (["metrics", "deployments", "--since", "2026-02-01", "--until", "2026-01-01"], "--until"),
        (["metrics", "deployments", "--by", "person"], "--by"),
        (["sync", "--source", "hub"], "git"),
        (["metrics"], "NAME"),
        (["up", "--port", "0"], "--port"),
        (["up", "--host", "0.0.0.0"], "docs/sign-in.md"),
    ],
)
def test_wrong_usage_exits_with_2_and_says_what_is_right(cli: Cli, arguments: list[str], says: str) -> None:
    result = cli(*arguments)
    assert result.exit_code == 2
    assert says in result.output


def test_before_the_first_sync_metrics_says_what_to_do(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAIRN_HOME", str(tmp_path))
    result = cli("metrics", "deployments")
    assert result.exit_code == 1
    assert "cairn sync" in result.output


def test_a_damaged_snapshot_is_one_line_with_its_mend(
    cli: Cli, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(tmp_path)
    home.create()
    (home.published / "CURRENT").write_text("x-1")
    (home.published / "x-1.duckdb").write_bytes(b"rubbish" * 1000)
    monkeypatch.setenv("CAIRN_HOME", str(tmp_path))
    result = cli("metrics", "deployments")
    assert result.exit_code == 1
    assert "cairn sync" in result.output
    assert result.output.count("\n") == 1


def test_doctor_is_content_with_what_is_sound(cli: Cli) -> None:
    result = cli("doctor")
    assert result.exit_code == 0, result.output
    assert "1,219 commits, 38 deployments, " in result.output


def test_doctor_finds_what_is_wrong(
    cli: Cli, odd: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAIRN_HOME", str(tmp_path / "home"))
    never = cli("doctor", "-w", odd / "cairn.yaml")
    assert never.exit_code == 1
    assert "never synced" in never.output
    assert "gone.git" in never.output
    monkeypatch.setenv("CAIRN_HOME", str(odd / ".cairn"))
    synced = cli("doctor", "-w", odd / "cairn.yaml")
    assert synced.exit_code == 1
    assert "none of its 1 tag(s) matches releases" in synced.output


def test_a_workspace_with_faults_is_refused_by_file_and_line(cli: Cli, tmp_path: Path) -> None:
    settings = tmp_path / "cairn.yaml"
    settings.write_text("organisation: Acme\nsources:\n  - {kind: git, repositorys: [x]}\n")
    result = cli("sync", "--workspace", settings)
    assert result.exit_code == 1
    assert "cairn.yaml:3: " in result.output
    assert "repositories" in result.output


def test_the_workspace_may_be_named_before_the_command_or_after_it(cli: Cli, tmp_path: Path) -> None:
    settings = tmp_path / "other.yaml"
    settings.write_text("organisation: Other\n")
    for arguments in (
        ["-w", settings, "doctor"],
        ["doctor", "-w", settings],
        ["metrics", "deployments", "-w", settings],
    ):
        result = cli(*arguments)
        assert result.exit_code == 1
        assert "other.yaml:1: sources: " in result.output


def test_doctor_finds_a_service_without_a_repository(cli: Cli, folder: Path, tmp_path: Path) -> None:
    settings = tmp_path / "cairn.yaml"
    settings.write_text(
        f"organisation: Acme\nsources:\n  - {{kind: git, repositories: ['{folder}/*.git']}}\n"
        "services: [{name: ghost, repositories: [gone-*]}]\n"
    )
    result = cli("doctor", "-w", settings)
    assert result.exit_code == 1
    assert "ghost: no repository is called gone-*" in result.output


def test_a_sync_prints_its_table_and_fails_where_a_repository_did(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop, other = Upstream(tmp_path / "shop.git"), Upstream(tmp_path / "other.git")
    shop.commit()
    shop.tag("1.0.0")
    (tmp_path / "cairn.yaml").write_text(
        "organisation: Acme\nsources:\n  - {kind: git, repositories: [./shop.git, ./other.git]}\n"
    )
    monkeypatch.chdir(tmp_path)
    with only(*ASKED_FOR):
        first = cli("sync")
        assert first.exit_code == 0, first.stderr
        assert "source  stream      new  changed  quarantined  seconds" in first.stderr
        assert "Published" in first.stderr
        assert (tmp_path / ".cairn" / "published" / "CURRENT").exists()
        other.path.rename(tmp_path / "gone.git")
        second = cli("sync")
    assert second.exit_code == 1
    assert isinstance(second.exception, SystemExit)
    assert "other.git" in second.stderr
    assert "Traceback" not in second.stderr
    assert "Nothing new" in second.stderr


def test_a_damaged_warehouse_says_how_to_make_it_anew(tmp_path: Path) -> None:
    Upstream(tmp_path / "shop.git").commit()
    (tmp_path / "cairn.yaml").write_text(
        "organisation: Acme\nsources:\n  - {kind: git, repositories: [./shop.git]}\n"
    )
    (tmp_path / ".cairn").mkdir()
    (tmp_path / ".cairn" / "warehouse.duckdb").write_bytes(b"rubbish" * 1000)
    command = [sys.executable, "-m", "cairn", "sync"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert "cairn sync --full" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_home_that_is_no_folder_is_one_line(tmp_path: Path) -> None:
    Upstream(tmp_path / "shop.git").commit()
    (tmp_path / "cairn.yaml").write_text(
        "organisation: A\nsources:\n  - {kind: git, repositories: [shop.git]}\n"
    )
    (tmp_path / ".cairn").touch()
    for command in (["sync"], ["metrics", "deployments"], ["doctor"], ["up", "--no-browser"]):
        result = subprocess.run(
            [sys.executable, "-m", "cairn", *command],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 1
        assert "Traceback" not in result.stderr
        assert result.stderr.count("\n") == 1
