"""`cairn report`, `digest` and `alerts` as they are typed, and what Dagster is told of the latter."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest
from typer.testing import CliRunner, Result

from cairn import definitions
from cairn.cli import app
from pipelines.home import Home
from pipelines.workspace import load
from tests.dashboards import report_tables

ACME = """
organisation: Acme
sources: [{kind: git, repositories: [/srv/x]}]
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = Home(tmp_path_factory.mktemp("home"))
    report_tables.publish(home, "told")
    return home


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("cairn.yaml").write_text(ACME)


def run(home: Home, *arguments: str) -> Result:
    return CliRunner(env={"CAIRN_HOME": str(home.root)}).invoke(app, arguments)


def test_it_is_a_page_of_the_last_month_unless_told_otherwise(home: Home) -> None:
    done = run(home, "report")
    assert (done.exit_code, done.stderr) == (
        0,
        "Software delivery, Oct 2026 is in cairn-report-2026-10.pdf.\n",
    )
    assert Path("cairn-report-2026-10.pdf").read_bytes().startswith(b"%PDF-")


def test_markdown_has_its_images_beside_it_or_within(home: Home) -> None:
    span = ("--since", "2026-07-01", "--until", "2026-10-01", "--format", "md")
    assert run(home, "report", *span, "--output", "q3.md").exit_code == 0
    assert "(q3-change_lead_time.svg)" in Path("q3.md").read_text()
    assert Path("q3-change_lead_time.svg").read_text().startswith("<svg ")
    done = run(home, "report", *span, "--output", "-")
    assert done.stdout.startswith("# Software delivery, Q3 2026\n")
    assert "(data:image/svg+xml;base64," in done.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("--since", "2026-10-02"), 2, "--since 2026-10-01 --until 2026-11-01"),
        (("--until", "2026-10-01"), 2, "needs --since"),
        (("--format", "docx"), 2, "docx"),
        (("--output", "missing/x.pdf"), 1, "No such file or directory"),
    ],
)
def test_what_is_wrong_is_said(home: Home, arguments: tuple[str, ...], code: int, says: str) -> None:
    done = run(home, "report", *arguments)
    said = " ".join(done.output.split()) + str(done.exception)
    assert (done.exit_code, says in said) == (code, True)


def test_without_data_it_is_said_what_to_do(tmp_path: Path) -> None:
    for command in (("report",), ("digest", "--dry-run"), ("alerts", "--dry-run")):
        done = run(Home(tmp_path / "empty"), *command)
        assert (done.exit_code, "run `cairn sync`" in done.output) == (1, True)


def test_a_dry_run_prints_and_without_settings_nothing_is_sent(home: Home) -> None:
    assert run(home, "digest", "--dry-run").stdout.startswith("Software delivery, Oct 2026\n")
    assert run(home, "alerts", "--dry-run").exit_code == 0
    done = run(home, "digest")
    assert (done.exit_code, "has no `digest`" in done.stderr) == (1, True)
    assert not home.messages.exists()


def test_dagster_tells_by_the_hour_where_somebody_is_to_be_told(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAIRN_HOME", str(home.root))
    monkeypatch.setenv("HOOK", "http://127.0.0.1:1/T0/B0/x")
    assert definitions.cairn().get_repository_def().has_job("sync")
    assert not definitions.cairn().get_repository_def().has_job(definitions.MESSAGES)
    Path("cairn.yaml").write_text(ACME + "alerts: {slack_webhook: '${HOOK}', changes: none}\n")
    schedule = definitions.cairn().get_repository_def().get_schedule_def("tell")
    assert schedule.cron_schedule == definitions.EVERY_HOUR
    with dg.DagsterInstance.ephemeral() as instance:
        telling = definitions.telling(load(Path("cairn.yaml"), {"HOOK": "http://127.0.0.1:1/T/B"}), home)
        assert len(schedule.evaluate_tick(dg.build_schedule_context(instance)).run_requests or []) == 1
        assert telling.resolve_job_def(definitions.MESSAGES).execute_in_process(instance=instance).success
        assert not schedule.evaluate_tick(dg.build_schedule_context(instance)).run_requests
    home.messages.unlink()
