"""`cairn init` at a real terminal: what it asks, tries, shows and leaves on the disk."""

from __future__ import annotations

import os
import re
import socket
import stat
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

import connectors
from cairn import init_questions
from demo.servers import jenkins
from demo.world import JenkinsJob, World
from pipelines import workspace
from tests.cairn.terminal import TOKEN, Start, Terminal
from tests.serving import serving


@pytest.fixture
def start(folder: Path) -> Iterator[Start]:
    """Begins a conversation in the folder."""
    started: list[Terminal] = []

    def start(*arguments: str, **environ: str) -> Terminal:
        started.append(Terminal(folder, *arguments, **environ))
        return started[-1]

    yield start
    for terminal in started:
        terminal.is_left()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


@pytest.fixture(scope="module")
def ci() -> Iterator[str]:
    """Address of a Jenkins that takes `reader` with `TOKEN`."""
    world = World(organization="acme", now=datetime(2026, 1, 1, tzinfo=UTC))
    world.jenkins.append(JenkinsJob(("shop",), is_branch=False))
    with serving(jenkins.app(world, user="reader", token=TOKEN)) as url:
        yield url


@pytest.fixture(scope="module")
def refusing() -> Iterator[str]:
    """Address of a tool that refuses everybody."""

    def refuse(request: Request) -> JSONResponse:
        return JSONResponse({"message": "Who are you?"}, 401)

    with serving(Starlette(routes=[Route("/{path:path}", refuse, methods=["GET", "POST"])])) as url:
        yield url


def begin(terminal: Terminal, kind: str) -> None:
    terminal.answers(("Organisation", "Acme"), ("Timezone", "Europe/Berlin"), ("Tool to read", kind))


def test_a_tool_is_tried_and_everything_is_written(folder: Path, start: Start, ci: str) -> None:
    subprocess.run(["git", "init", "-q", folder], check=True)
    (folder / ".env").write_text("OTHER=1 # kept")
    terminal = start()
    terminal.answers(
        ("Organisation", "  Acme: \u201cShop\u201d"),
        ("Timezone", "Berlin"),
        (
            "There is no such timezone. Write an IANA name such as Europe/Berlin, or UTC.\nTimezone",
            "Europe/Berlin",
        ),
        ("Tool to read", "jenkin"),
        ("Tool to read", "jenkins"),
        ("jenkins: url", ci),
        ("jenkins: user", "reader"),
        ("jenkins: token (not shown", "wrong-token"),
        ("jenkins: jobs", ""),
    )
    terminal.sees("401 Unauthorized", "Correct it now?")
    terminal.answers(
        ("", "y"),
        ("jenkins: url", ""),
        ("jenkins: user", ""),
        ("jenkins: token (not shown; Enter for the same)", TOKEN),
        ("jenkins: jobs", "shop/*, !*/sandbox"),
    )
    terminal.sees("jenkins can be read")
    terminal.answers(("Another tool", ""))
    terminal.sees("Added .env and .cairn/ to .gitignore.", "Wrote JENKINS_TOKEN to .env", "Wrote cairn.yaml.")
    terminal.sees("Next: cairn up")
    assert terminal.ends() == 0
    assert TOKEN not in terminal.screen
    assert "wrong-token" not in terminal.screen

    content = (folder / "cairn.yaml").read_text()
    assert "token: ${JENKINS_TOKEN}\n" in content
    assert TOKEN not in content
    assert stat.S_IMODE((folder / "cairn.yaml").stat().st_mode) == 0o644
    assert (folder / ".env").read_text() == f"OTHER=1 # kept\nJENKINS_TOKEN={TOKEN}\n"
    assert stat.S_IMODE((folder / ".env").stat().st_mode) == 0o600
    assert (folder / ".gitignore").read_text() == ".env\n.cairn/\n"
    assert sorted(path.name for path in folder.iterdir()) == [".env", ".git", ".gitignore", "cairn.yaml"]

    loaded = workspace.load(folder / "cairn.yaml", {})
    assert loaded.organisation == "Acme: \u201cShop\u201d"
    assert loaded.timezone == "Europe/Berlin"
    (source,) = loaded.sources
    options = source.options.model_dump()
    assert (options["url"], options["user"], options["jobs"]) == (ci, "reader", ("shop/*", "!*/sandbox"))
    assert options["token"].get_secret_value() == TOKEN


@pytest.mark.parametrize("prompts", [0, 2, 5])
def test_an_interruption_leaves_everything_as_it_was(
    folder: Path, start: Start, ci: str, prompts: int
) -> None:
    (folder / ".env").write_text("OTHER=1")
    terminal = start()
    conversation = [
        ("Organisation", "Acme"),
        ("Timezone", "UTC"),
        ("Tool to read", "jenkins"),
        ("jenkins: url", ci),
        ("jenkins: user", "reader"),
        ("jenkins: token (not shown", TOKEN),
    ]
    terminal.answers(*conversation[:prompts])
    terminal.sees(conversation[prompts][0])
    if prompts == 5:
        terminal._wait_for_silence()
    terminal.interrupts()
    terminal.sees("Stopped. Nothing was written.")
    assert terminal.ends() == 130
    assert [path.name for path in folder.iterdir()] == [".env"]
    assert (folder / ".env").read_text() == "OTHER=1"


def test_an_interruption_while_a_tool_is_tried_leaves_nothing(folder: Path, start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        terminal = start(TERM="xterm")
        begin(terminal, "backstage")
        terminal.answers(("backstage: url", url), ("backstage: token (not shown", TOKEN))
        terminal.sees("Trying backstage")
        terminal.interrupts()
        terminal.sees("Nothing was written")
        assert terminal.ends() == 130
    assert not list(folder.iterdir())
    assert TOKEN not in terminal.screen


def test_the_end_of_what_is_typed_ends_it(folder: Path, start: Start) -> None:
    terminal = start()
    terminal.sees("Organisation")
    os.write(terminal._master, b"\x04")
    terminal.sees("Nothing was written")
    assert terminal.ends() == 130


@pytest.mark.parametrize("kind", [kind for kind in connectors.kinds() if kind not in ("git", "files")])
def test_what_is_written_of_any_tool_is_read(folder: Path, start: Start, refusing: str, kind: str) -> None:
    questions = init_questions.questions(kind)
    terminal = start()
    begin(terminal, kind)
    secrets = [TOKEN, "", ""]
    for question in questions:
        is_address = any("url" in str(part) for part in question.location)
        if question.is_secret:
            terminal.answers((f"{kind}: {question.words} (not shown", secrets.pop(0)))
        else:
            terminal.answers((f"{kind}: {question.words}", refusing if is_address else "acme"))
    terminal.answers(("Correct it now?", "n"), ("Another tool", ""))
    terminal.sees("Next: cairn up")
    assert terminal.ends() == 0
    assert TOKEN not in terminal.screen
    (source,) = workspace.load(folder / "cairn.yaml", {}).sources
    assert source.kind == kind
    assert "${" in (folder / "cairn.yaml").read_text()


def test_a_file_and_a_repository(folder: Path, start: Start, refusing: str) -> None:
    subprocess.run(["git", "init", "-q", "--bare", folder / "shop.git"], check=True)
    (folder / "a.csv").write_text("id,name,kind\n1,web,team\n")
    terminal = start()
    begin(terminal, "files")
    terminal.answers(("files: files path", "a.csv"), ("files: files record", "teem"))
    terminal.sees("there is no record `teem`; perhaps `team` is meant")
    terminal.answers(("Correct it now?", "y"), ("files: files path", ""), ("files: files record", "team"))
    terminal.sees("1 file, the last one written at", "files can be read")
    terminal.answers(
        ("Another tool", "git"),
        ("git: repositories", f"shop.git, {refusing.replace('//', '//grace:pw-of-grace@')}/x"),
    )
    terminal.sees("Its password goes to .env as GIT_PASSWORD.")
    terminal.answers(("Correct it now?", "n"), ("Another tool", "git"), ("What to call this one", ""))
    terminal.answers(("git: repositories", "shop.git"), ("Another tool", ""))
    terminal.sees("Next: cairn up")
    assert terminal.ends() == 0
    content = (folder / "cairn.yaml").read_text()
    assert "pw-of-grace" not in content
    assert "GIT_PASSWORD=pw-of-grace\n" in (folder / ".env").read_text()
    loaded = workspace.load(folder / "cairn.yaml", {})
    assert [source.name for source in loaded.sources] == ["files", "git", "git-2"]
    assert "grace:pw-of-grace@" in loaded.sources[1].options.model_dump()["repositories"][1]


def test_a_tool_that_cannot_stand_in_the_file_is_left_out(folder: Path, start: Start, refusing: str) -> None:
    terminal = start()
    begin(terminal, "backstage")
    terminal.answers(("backstage: url", "acme"), ("backstage: token (not shown", TOKEN))
    terminal.sees("url: write the address as https://host/path")
    terminal.answers(("Correct it now?", "n"))
    terminal.sees("backstage is left out.")
    terminal.answers(("Tool to read", "backstage"), ("backstage: url", refusing), ("token (not shown", ""))
    terminal.answers(("Correct it now?", "n"), ("Another tool", ""))
    assert terminal.ends() == 0
    assert not (folder / ".env").exists()
    loaded = workspace.load(folder / "cairn.yaml", {})
    assert isinstance(loaded.teams, workspace.TakenFrom)


def test_variables_that_are_set_are_used_or_left_alone(folder: Path, start: Start, ci: str) -> None:
    (folder / ".env").write_text("JENKINS_TOKEN=of-another\n")
    terminal = start(JENKINS_2_TOKEN=TOKEN)
    begin(terminal, "jenkins")
    terminal.answers(("jenkins: url", ci), ("jenkins: user", "reader"))
    terminal.answers(
        ("JENKINS_TOKEN is set already. Use it?", "n"), ("token (not shown", TOKEN), ("jobs", "")
    )
    terminal.answers(("Another tool", "jenkins"), ("What to call this one", ""))
    terminal.answers(("jenkins: url", ci), ("jenkins: user", "reader"))
    terminal.answers(("JENKINS_2_TOKEN is set already. Use it?", "y"), ("jobs", ""), ("Another tool", ""))
    assert terminal.ends() == 0
    assert (folder / ".env").read_text() == f"JENKINS_TOKEN=of-another\nJENKINS_TOKEN_2={TOKEN}\n"
    content = (folder / "cairn.yaml").read_text()
    assert re.findall(r"\$\{(\w+TOKEN\w*)\}", content) == ["JENKINS_TOKEN_2", "JENKINS_2_TOKEN"]


def test_a_file_that_is_there_is_replaced_only_by_force(folder: Path, start: Start) -> None:
    path = folder / "cairn.yaml"
    path.write_text("mine")
    path.chmod(0o640)
    terminal = start()
    terminal.sees("cairn.yaml is here already", "cairn init --force")
    assert terminal.ends() == 1
    assert path.read_text() == "mine"
    (folder / "a.csv").write_text("id,name,kind\n")
    terminal = start("--force")
    begin(terminal, "files")
    terminal.answers(("path", "a.csv"), ("record", "team"), ("Another tool", ""))
    assert terminal.ends() == 0
    assert workspace.load(path, {}).organisation == "Acme"


def test_a_secret_under_version_control_is_said(folder: Path, start: Start, ci: str) -> None:
    subprocess.run(["git", "init", "-q", folder], check=True)
    (folder / ".gitignore").write_text("*.log\n.cairn/")
    (folder / ".env").write_text("A=1\n")
    subprocess.run(["git", "-C", folder, "add", "."], check=True)
    terminal = start()
    begin(terminal, "jenkins")
    terminal.answers(
        ("url", ci), ("user", "reader"), ("token (not shown", TOKEN), ("jobs", ""), ("Another", "")
    )
    terminal.sees("Added .env to .gitignore.", "git rm --cached .env")
    assert terminal.ends() == 0
    assert (folder / ".gitignore").read_text() == "*.log\n.cairn/\n.env\n"


def test_an_env_file_that_is_broken_is_left_alone(folder: Path, start: Start) -> None:
    for content, words in ((b"A=1\nB='x\n", "line 2"), (b"\xff", "is not UTF-8")):
        (folder / ".env").write_bytes(content)
        terminal = start()
        terminal.sees(".env ", words, "mend it first")
        assert terminal.ends() == 1
        assert (folder / ".env").read_bytes() == content
