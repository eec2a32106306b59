"""A real Alertmanager: its alerts read, and its webhooks heard."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.alertmanager.alerts import fingerprint
from connectors.alertmanager.connector import AlertmanagerConnector, AlertmanagerOptions, incidents
from connectors.connector import Batch, Context, Note
from connectors.records import Incident
from tests.connectors.contract import Loaded
from tests.serving import serving
from tests.specification import Specification

CONTEXT = Context(Path("unused"), b"key")
PREFIX = "/alerts"
CONFIG = """\
route: {{receiver: cairn, group_by: ["..."], group_wait: 100ms, group_interval: 200ms, repeat_interval: 1h}}
receivers:
  - name: cairn
    webhook_configs: [{{url: "{url}/hook", send_resolved: true}}]
"""


class Alertmanager(NamedTuple):
    port: int
    heard: list[Any]
    """Payloads of its webhooks."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{PREFIX}"

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            content = None if body is None else json.dumps(body)
            connection.request(method, PREFIX + path, content, {"Content-Type": "application/json"})
            response = connection.getresponse()
            said = response.read().decode()
            return response.status, json.loads(said) if said.startswith(("{", "[")) else said
        except ConnectionRefusedError:
            return 0, None
        finally:
            connection.close()

    def post(self, labels: dict[str, str], began: datetime, ended: datetime | None = None) -> None:
        alert = {
            "labels": labels,
            "annotations": {"summary": "Ada, have a look"},
            "generatorURL": "http://u:p@prometheus.example/graph?g0.expr=up",
            "startsAt": began.isoformat(),
            **({"endsAt": ended.isoformat()} if ended else {}),
        }
        status, said = self.ask("POST", "/api/v2/alerts", [alert])
        assert status == 200, said

    def told(self) -> list[Incident]:
        options = AlertmanagerOptions(url=self.url)
        told = [each for payload in list(self.heard) for each in incidents(payload, options)]
        assert all(isinstance(each, Incident) for each in told)
        return [each for each in told if isinstance(each, Incident)]


def wait_for(what: Callable[[], Any]) -> Any:
    """What is true at last; fails after a while."""
    for _ in range(600):
        if found := what():
            return found
        time.sleep(0.05)
    pytest.fail("it did not come about")


@pytest.fixture(scope="module")
def alertmanager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alertmanager]:
    program = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
    if program is None:
        reason = "no Alertmanager is installed: apt-get install prometheus-alertmanager"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    heard: list[Any] = []

    async def hear(request: Request) -> Response:
        heard.append(await request.json())
        return JSONResponse({})

    with serving(Starlette(routes=[Route("/hook", hear, methods=["POST"])])) as hook, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        folder = tmp_path_factory.mktemp("alertmanager")
        config = folder / "alertmanager.yml"
        config.write_text(CONFIG.format(url=hook))
        process = subprocess.Popen(
            [
                program,
                f"--config.file={config}",
                f"--storage.path={folder}",
                f"--web.listen-address=127.0.0.1:{port}",
                f"--web.external-url=http://127.0.0.1:{port}{PREFIX}",
                "--cluster.listen-address=",
            ],
            stderr=subprocess.DEVNULL,
        )
        running = Alertmanager(port, heard)
        try:
            wait_for(lambda: running.ask("GET", "/-/ready")[0] == 200 or process.poll() is not None)
            assert process.poll() is None, "Alertmanager ended before it answered"
            yield running
        finally:
            process.terminate()
            process.wait(30)


def test_alerts_are_read_and_heard_from_firing_to_resolved(alertmanager: Alertmanager) -> None:
    connector = AlertmanagerConnector("alerts", AlertmanagerOptions(url=alertmanager.url), CONTEXT)
    labels = {"alertname": "ErrorRate", "severity": "critical", "service": "shop"}
    other = {"alertname": "Disk", "severity": "warning", "service": "shop"}
    began = datetime.now(UTC).replace(microsecond=123_000) - timedelta(minutes=5)
    alertmanager.post(labels, began)
    alertmanager.post(other, began)
    loaded = Loaded(connector.read({}))
    (read,) = loaded.records.values()
    assert isinstance(read, Incident)
    assert (read.status, read.service, read.severity, read.opened_at) == ("open", "shop", "critical", began)
    assert read.url == "http://prometheus.example/graph?g0.expr=up"
    assert not [item for item in connector.read(loaded.cursors) if isinstance(item, Batch)]

    (heard,) = wait_for(alertmanager.told)
    assert heard == read

    ended = datetime.now(UTC).replace(microsecond=0)
    alertmanager.post(labels, began, ended)
    wait_for(lambda: len(alertmanager.ask("GET", "/api/v2/alerts")[1]) == 1)
    loaded.load(connector.read(loaded.cursors))
    (over,) = loaded.records.values()
    assert isinstance(over, Incident)
    assert over.id == read.id
    assert over.status == "resolved"
    assert over.resolved_at
    assert abs(over.resolved_at - ended) <= timedelta(minutes=2)

    (resolved,) = wait_for(lambda: [each for each in alertmanager.told() if each.status == "resolved"])
    assert resolved == read._replace(status="resolved", resolved_at=ended)
    assert "Ada" not in repr([loaded.records, loaded.cursors, alertmanager.told()])


def test_its_fingerprint_is_ours(alertmanager: Alertmanager) -> None:
    labels = {"alertname": "Umlaut", "severity": "page", "where": "Köln ÿ", "empty": ""}
    alertmanager.post(labels, datetime.now(UTC))
    _, listed = alertmanager.ask("GET", "/api/v2/alerts")
    (alert,) = [each for each in listed if each["labels"]["alertname"] == "Umlaut"]
    assert fingerprint(alert["labels"]) == alert["fingerprint"]
    # Versions before 0.28 know no time intervals that mute.
    Specification("alertmanager").response("GET", "/api/v2/alerts", 200, listed, despite=["'mutedBy' is"])


def test_its_version_is_told(alertmanager: Alertmanager) -> None:
    connector = AlertmanagerConnector("alerts", AlertmanagerOptions(url=alertmanager.url), CONTEXT)
    told = list(connector.check())
    assert all(isinstance(each, Note) for each in told)
    assert told[0].message.startswith("Alertmanager 0.")
