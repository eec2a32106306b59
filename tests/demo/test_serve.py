"""The demo's servers as a process: ready, private, the same again, and gone with whoever started them."""

from __future__ import annotations

import os
import re
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from pydantic import SecretStr

import demo
from connectors.http import Client, HttpError, basic, bearer
from demo.serve import JENKINS_USER, TOOLS, DemoError, Running, start

SCALE = 0.01
WORKSPACE = Path(demo.__file__).with_name("cairn.yaml")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home") / "demo"


@pytest.fixture(scope="module")
def running(folder: Path) -> Iterator[Running]:
    with start(folder, scale=SCALE) as running:
        yield running


def token(running: Running, tool: str) -> SecretStr:
    return SecretStr(running.environ[f"CAIRN_DEMO_{tool.upper()}_TOKEN"])


def is_gone(process: int) -> bool:
    """Whether it has ended; a child that nobody waited for has, too."""
    try:
        return psutil.Process(process).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def wait_until_gone(process: int) -> None:
    for _ in range(200):
        if is_gone(process):
            return
        time.sleep(0.05)
    pytest.fail("it is still there")


def test_every_tool_answers_whom_it_knows(running: Running) -> None:
    asked = {
        "github": ("/rate_limit", bearer(token(running, "github"))),
        "jenkins": ("/api/json", basic(JENKINS_USER, token(running, "jenkins"))),
        "pagerduty": ("/abilities", bearer(token(running, "pagerduty"))),
        "backstage": ("/api/catalog/entities/by-query", bearer(token(running, "backstage"))),
    }
    assert running.urls.keys() == asked.keys() == set(TOOLS)
    for tool, (path, auth) in asked.items():
        with Client(running.urls[tool], auth=auth) as client:
            assert client.get(path, stream="x").status == 200
        with (
            Client(running.urls[tool], auth=bearer(SecretStr("wrong"))) as client,
            pytest.raises(HttpError) as refused,
        ):
            client.get(path, stream="x")
        assert refused.value.status in {401, 403}


def test_enterprise_paths_are_served_too(running: Running) -> None:
    with Client(f"{running.urls['github']}/api/v3", auth=bearer(token(running, "github"))) as client:
        assert client.get("/rate_limit", stream="x").status == 200


def test_its_variables_are_those_of_the_workspace_file(running: Running) -> None:
    assert set(re.findall(r"\$\{(\w+)\}", WORKSPACE.read_text())) == running.environ.keys()
    assert all(secret not in repr(running) for name, secret in running.environ.items() if "TOKEN" in name)


def test_what_it_keeps_is_for_its_owner_alone(running: Running, folder: Path) -> None:
    assert {path.name for path in folder.iterdir()} >= {"git", "ground_truth.json", "tokens.json"}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for name in ("tokens.json", "organisation.json"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
    tokens = {token(running, tool).get_secret_value() for tool in TOOLS}
    assert len(tokens) == 4
    assert not [secret for secret in tokens if secret in (folder / "serve.log").read_text()]
    clone = running.environ["CAIRN_DEMO_GIT"]
    listed = subprocess.run(
        ["git", "ls-remote", f"{clone}/commerce.git"], capture_output=True, text=True, check=True
    )
    assert "refs/heads/" in listed.stdout


def test_a_second_start_is_the_same_organisation_at_the_same_place(tmp_path: Path) -> None:
    kept = ("organisation.json", "tokens.json", "ground_truth.json", "git/complete")
    with start(tmp_path, scale=SCALE) as first:
        before = {name: (tmp_path / name).read_bytes() for name in kept}
        written = (tmp_path / "git" / "complete").stat().st_mtime_ns
        # Beside the first there is no room at the same place, and the first's is kept for next time.
        with start(tmp_path, scale=SCALE) as beside:
            assert not set(first.urls.values()) & set(beside.urls.values())
            assert [token(first, tool) for tool in TOOLS] == [token(beside, tool) for tool in TOOLS]
    with start(tmp_path, scale=SCALE) as second:
        assert (second.urls, second.environ) == (first.urls, first.environ)
    assert {name: (tmp_path / name).read_bytes() for name in kept} == before
    assert (tmp_path / "git" / "complete").stat().st_mtime_ns == written


def test_stopping_ends_it_and_may_be_done_twice(tmp_path: Path) -> None:
    running = start(tmp_path, scale=SCALE)
    running.stop()
    assert running.process.returncode == 0
    running.stop()
    with Client(running.urls["github"], retries=0) as client, pytest.raises(HttpError):
        client.get("/rate_limit", stream="x")


def test_it_ends_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from demo.serve import start;"
        f"r = start(Path({str(tmp_path)!r}), scale={SCALE}); print(r.process.pid, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    server = int(parent.stdout.readline())
    assert not is_gone(server)
    parent.kill()
    parent.communicate()
    wait_until_gone(server)


def test_it_ends_by_a_signal(tmp_path: Path) -> None:
    running = start(tmp_path, scale=SCALE)
    os.kill(running.process.pid, signal.SIGTERM)
    wait_until_gone(running.process.pid)
    running.stop()


def test_killed_while_it_is_made_it_is_made_whole_the_next_time(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "demo", "serve", "--folder", str(tmp_path), "--scale", str(SCALE)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    while not (tmp_path / "git").exists():
        assert process.poll() is None
        time.sleep(0.01)
    process.kill()
    process.wait()
    with start(tmp_path, scale=SCALE):
        assert (tmp_path / "git" / "complete").exists()
        assert len(list((tmp_path / "git").glob("*.git"))) > 140


def test_by_hand_it_says_where_it_is(folder: Path, tmp_path: Path, running: Running) -> None:
    port_file = tmp_path / "ports.json"
    command = [sys.executable, "-m", "demo", "serve", "--folder", str(folder), "--scale", str(SCALE)]
    process = subprocess.Popen(
        [*command, "--port-file", str(port_file)], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None
    said = process.stdout.readline()
    process.terminate()
    process.communicate()
    assert said.strip() == port_file.read_text()
    assert set(re.findall(r'"(\w+)": "http://127', said)) == set(TOOLS)


def test_with_faults_on_a_client_still_gets_answers(folder: Path, running: Running) -> None:
    with (
        start(folder, faults=True, scale=SCALE) as faulty,
        Client(faulty.urls["jenkins"], auth=basic(JENKINS_USER, token(faulty, "jenkins"))) as client,
    ):
        statuses = {client.get("/api/json", {"depth": depth}, stream="x").status for depth in range(12)}
    assert statuses == {200}
    assert client.requests["x"] > 12


def test_a_folder_that_cannot_be_used_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "git").touch()
    (tmp_path / "organisation.json").mkdir()
    with pytest.raises(DemoError, match=r"exit code 1: .*organisation\.json") as error:
        start(tmp_path, scale=SCALE)
    assert "\n" not in str(error.value)
