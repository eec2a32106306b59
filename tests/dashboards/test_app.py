"""The served process, without a browser."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import psutil

from pipelines.home import Home
from tests.dashboards import snapshot
from tests.dashboards.conftest import get
from tests.dashboards.snapshot import Plan


def test_ready_once_something_is_published(home: Home, server: str) -> None:
    assert get(server, "/healthz") == (200, '{"status":"ok"}')
    code, body = get(server, "/readyz")
    assert code == 503
    assert "cairn sync" in json.loads(body)["reason"]

    snapshot.publish(home, Plan(every_days=60), "first")
    code, body = get(server, "/readyz")
    assert (code, json.loads(body)) == (200, {"status": "ok", "snapshot": "first"})

    (home.published / "second.duckdb").write_bytes(b"no database")
    (home.published / "CURRENT").write_text("second")
    code, body = get(server, "/readyz")
    assert code == 503
    assert "second.duckdb cannot be read" in json.loads(body)["reason"]


def test_the_survey_form_stands_beside_the_pages(server: str) -> None:
    code, body = get(server, "/pulse/no-such-link")
    assert code == 404
    assert "This link cannot be used" in body


def test_the_api_and_the_metrics_stand_beside_the_pages(server: str) -> None:
    assert get(server, "/api/v1/metrics?limit=0")[0] == 422
    assert get(server, "/api/v1/openapi.json")[0] == 200
    code, body = get(server, "/metrics")
    assert code == 200
    assert "cairn_snapshot_readable" in body


def test_only_this_machine_is_served(server: str) -> None:
    port = int(server.rpartition(":")[2])
    listening = [
        process.laddr for process in psutil.net_connections("tcp")
        if process.laddr and process.laddr.port == port and process.status == psutil.CONN_LISTEN
    ]  # fmt: skip
    assert listening == [("127.0.0.1", port)]


def test_the_dashboard_starts_without_the_orchestrator() -> None:
    heavy = "import dashboards.app, dashboards.frame, sys; print({'dagster', 'scipy'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", heavy], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"


def test_a_taken_port_ends_it_with_a_word(server: str) -> None:
    port = server.rpartition(":")[2]
    done = subprocess.run(
        [sys.executable, "-m", "dashboards", "--port", port], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    assert f"Port {port} is not available" in done.stderr + done.stdout


def test_others_are_served_only_where_people_sign_in(tmp_path: Path) -> None:
    workspace = tmp_path / "cairn.yaml"
    serve = [sys.executable, "-m", "dashboards", "--port", "0", "--host"]
    environ = os.environ | {"CAIRN_WORKSPACE": str(workspace), "CAIRN_HOME": str(tmp_path)}
    for text, host, says in (
        ("organisation: Acme", "0.0.0.0", "Only 127.0.0.1 is served without `sign_in` in the workspace file"),
        ("organisation: [", "127.0.0.1", "cannot be read, so nothing is served"),
        ("sign_in: {issuer: x}", "127.0.0.1", "cairn.yaml:1: sign_in.client_id: is missing. Add it."),
    ):
        workspace.write_text(text)
        done = subprocess.run(
            [*serve, host], env=environ, capture_output=True, text=True, timeout=60, check=False
        )
        assert (done.returncode, says in done.stderr) == (1, True), done.stderr
