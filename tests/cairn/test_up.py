from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from pipelines import dagster_pages
from pipelines.home import Home

STAND_IN = Path(__file__).with_name("stand_in.py")
CHILDREN = ("dashboard", "code", "webserver", "daemon")

# Runs `run` with stand-ins, whose options come as JSON, in the place of Streamlit and Dagster.
DRIVER = """
import json, sys
from rich.console import Console
from cairn import up
home, port, dagster_port, stand_in, options = sys.argv[1:]
options = json.loads(options)
up.WORTH_RESTARTING_SECONDS = options.pop("worth_restarting", 60)

def commands(port, dagster_port, code_socket, dagster_workspace):
    def command(name, *default):
        return (sys.executable, stand_in, home, name, *default, *options.get(name, ()))
    return up.Commands(
        sync=command("sync", *(() if "sync" in options else ("exit=0",))),
        dashboard=command("dashboard", f"port={port}"),
        code_server=command("code", f"socket={code_socket}"),
        webserver=command("webserver", f"port={dagster_port}"),
        daemon=command("daemon"),
        later=command("later") if "later" in options else (),
    )

sys.exit(up.run({"CAIRN_HOME": home}, int(port), int(dagster_port), True, Console(width=200), commands))
"""


class Up:
    """A running `cairn up`; with stand-ins for children, or with its own where it `is_whole`."""

    def __init__(
        self,
        home: Path,
        port: int | None = None,
        dagster_port: int | None = None,
        is_whole: bool = False,
        **options: object,
    ) -> None:
        self.home = home
        self.port = port or free_port()
        self.dagster_port = dagster_port or free_port()
        home.mkdir(exist_ok=True)
        self.output = home / f"output-{self.port}"
        if is_whole:
            ports = ["--port", str(self.port), "--dagster-port", str(self.dagster_port)]
            command = ["-P", "-m", "cairn", "up", "-w", ".", *ports]
        else:
            arguments = [str(home), str(self.port), str(self.dagster_port), str(STAND_IN)]
            command = ["-c", DRIVER, *arguments, json.dumps(options)]
        opened = f"import pathlib; pathlib.Path({str(home / 'opened')!r}).touch()"
        self.process = subprocess.Popen(
            [sys.executable, *command],
            cwd=home,
            stdout=self.output.open("wb"),
            stderr=subprocess.STDOUT,
            env={
                **{key: value for key, value in os.environ.items() if not key.startswith("CAIRN_")},
                "BROWSER": f'{sys.executable} -c "{opened}" %s',
            },
            start_new_session=True,
        )

    def said(self) -> str:
        return self.output.read_text()

    def pids(self, *names: str) -> list[int]:
        return [int(pid) for name in names for pid in (self.home / f"{name}.pids").read_text().split()]

    def descendants(self) -> list[int]:
        return [process.pid for process in psutil.Process(self.process.pid).children(recursive=True)]

    def is_said(self, text: str) -> bool:
        return text in self.said()

    def is_up(self) -> bool:
        return all((self.home / f"{name}.pids").exists() for name in CHILDREN) and self.is_said(
            "Dagster is at"
        )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until(condition: Callable[[], bool], up: Up, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, up.said()
        assert (up.process.poll() or 0) <= 0, up.said()
        time.sleep(0.02)


def runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Up]]:
    started: list[Up] = []

    def starter(home: str = "home", **options: Any) -> Up:
        started.append(Up(tmp_path / home, **options))
        return started[-1]

    yield starter
    for up in started:
        up.process.kill()
        up.process.wait()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_everything_with_success(start: Callable[..., Up], number: signal.Signals) -> None:
    up = start()
    wait_until(up.is_up, up)
    pids = up.descendants()
    assert set(up.pids(*CHILDREN)) < set(pids)
    up.process.send_signal(number)
    assert up.process.wait(20) == 0
    assert not [pid for pid in pids if runs(pid)]


def test_the_page_comes_before_dagster_and_the_browser_is_opened(start: Callable[..., Up]) -> None:
    up = start()
    wait_until(up.is_up, up)
    assert f"Cairn is at http://127.0.0.1:{up.port}. " in up.said().split("Dagster is at")[0]
    assert f"Dagster is at http://127.0.0.1:{up.dagster_port}." in up.said()
    assert dagster_pages.address(Home(up.home)) == f"http://127.0.0.1:{up.dagster_port}"
    assert "sync says hello" in up.said().split("Cairn is at")[0]
    assert "dashboard says hello" in (up.home / "logs" / "dashboard.log").read_text()
    wait_until((up.home / "opened").exists, up)


def test_what_can_wait_runs_once_behind_the_page_and_its_last_word_is_said(start: Callable[..., Up]) -> None:
    up = start(later=["exit=0"])
    wait_until(up.is_up, up)
    wait_until(lambda: up.is_said("later has had enough"), up)
    assert "later has had enough" not in up.said().split("Cairn is at")[0]
    assert up.said().count("later") == 1


def test_nothing_outlives_a_killed_parent(start: Callable[..., Up]) -> None:
    up = start()
    wait_until(up.is_up, up)
    pids = up.descendants()
    up.process.kill()
    wait_until(lambda: not any(map(runs, pids)), up)


def test_a_second_signal_kills_what_does_not_want_to_end(start: Callable[..., Up]) -> None:
    up = start(daemon=["stubborn"])
    wait_until(up.is_up, up)
    pids = up.descendants()
    up.process.send_signal(signal.SIGINT)
    wait_until(lambda: up.is_said("Ending"), up)
    wait_until(lambda: not any(map(runs, up.pids("dashboard"))), up)
    assert runs(up.pids("daemon")[0])
    up.process.send_signal(signal.SIGINT)
    assert up.process.wait(5) == 0
    assert not [pid for pid in pids if runs(pid)]


def test_a_signal_during_the_sync_ends_it(start: Callable[..., Up]) -> None:
    up = start(sync=[])
    wait_until((up.home / "sync.pids").exists, up)
    up.process.send_signal(signal.SIGINT)
    assert up.process.wait(20) == 0
    assert not [pid for pid in up.pids("sync") if runs(pid)]
    assert not (up.home / "dashboard.pids").exists()


def test_a_failed_sync_does_not_keep_the_page_away(start: Callable[..., Up]) -> None:
    up = start(sync=["exit=1"])
    wait_until(up.is_up, up)
    assert "The sync failed" in up.said()


def test_a_dashboard_that_cannot_start_is_reported(start: Callable[..., Up]) -> None:
    up = start(dashboard=["exit=3"])
    assert up.process.wait(20) == 1
    assert "The dashboard ended with exit code 3." in up.said()
    assert "dashboard has had enough" in up.said()


def test_a_dying_dashboard_ends_everything(start: Callable[..., Up]) -> None:
    up = start()
    wait_until(up.is_up, up)
    pids = up.descendants()
    os.kill(up.pids("dashboard")[0], signal.SIGKILL)
    assert up.process.wait(20) == 1
    assert "The dashboard ended with exit code -9." in up.said()
    assert not [pid for pid in pids if runs(pid)]


def test_dagster_dying_at_once_is_a_warning(start: Callable[..., Up]) -> None:
    up = start(daemon=["exit=4"])
    wait_until(lambda: up.is_said("daemon has had enough"), up)
    assert "Dagster's daemon ended with exit code 4" in up.said()
    dashboard = set(up.pids("dashboard"))
    # One more is the guard.
    wait_until(lambda: dashboard < set(up.descendants()) and len(up.descendants()) == 3, up)
    assert up.process.poll() is None


def test_dagster_dying_later_is_started_anew(start: Callable[..., Up]) -> None:
    up = start(worth_restarting=0)
    wait_until(up.is_up, up)
    (old, _) = up.pids("daemon")
    os.kill(old, signal.SIGKILL)
    wait_until(lambda: up.pids("daemon")[0] != old, up)
    assert up.process.poll() is None


def test_a_taken_port_is_named_before_any_work(start: Callable[..., Up]) -> None:
    first = start()
    wait_until(first.is_up, first)
    second = start("other", port=first.port)
    assert second.process.wait(20) == 1
    assert f"Port {first.port} is taken." in second.said()
    assert "cairn up --port " in second.said()
    assert not (second.home / "sync.pids").exists()


def test_a_taken_dagster_port_is_stepped_over(start: Callable[..., Up]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        up = start(dagster_port=port)
        wait_until(up.is_up, up)
    assert f"Port {port} is taken" in up.said()
    assert f"Dagster is at http://127.0.0.1:{port}." not in up.said()


def test_one_home_is_served_once(start: Callable[..., Up]) -> None:
    first = start()
    wait_until(first.is_up, first)
    second = start()
    assert second.process.wait(20) == 1
    assert "runs already on" in second.said()
    assert first.process.poll() is None


@pytest.mark.timeout(240)
def test_the_whole_comes_up_in_a_repository_and_ends(start: Callable[..., Up], tmp_path: Path) -> None:
    # A folder of the same name as one of ours must not stand in its way.
    decoy = tmp_path / "home" / "pipelines" / "__init__.py"
    decoy.parent.mkdir(parents=True)
    decoy.write_text("raise SystemExit('not this one')")
    git = ["git", "-C", str(tmp_path / "home"), "-c", "user.name=A", "-c", "user.email=a@example.org"]
    for arguments in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", "One"], ["tag", "v1.0.0"]):
        subprocess.run([*git, *arguments], check=True)
    up = start(is_whole=True)
    wait_until(lambda: up.is_said("Dagster is at"), up, seconds=180)
    assert "Published" in up.said().split("Cairn is at")[0]
    pids = up.descendants()
    up.process.send_signal(signal.SIGINT)
    assert up.process.wait(20) == 0
    assert not [pid for pid in pids if runs(pid)]
