"""`cairn init` at a real terminal: what it asks, tries, shows and leaves on the disk."""

from __future__ import annotations

import os
import re
import select
import signal
import socket
import stat
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from zoneinfo import available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

import connectors
from cairn import init, init_questions, init_writing
from connectors.connector import Connector
from demo.servers import jenkins
from demo.world import JenkinsJob, World
from pipelines import workspace
from tests.serving import serving

TOKEN = "t0k3n-never-shown"
_PATIENCE_SECONDS = 15

# The terminal becomes the session's own, so that Ctrl-C and getpass reach it as they would a person's.
DRIVER = """
import os, sys
os.open(os.ttyname(0), os.O_RDWR)
from pathlib import Path
from rich.console import Console
from cairn import init
try:
    code = init.run(Path.cwd(), Console(highlight=False), force="--force" in sys.argv)
except KeyboardInterrupt:
    code = -1
sys.exit(code)
"""


class Terminal:
    """`cairn init` in a folder, and who sits before it."""

    def __init__(self, folder: Path, *arguments: str, **environ: str) -> None:
        self.screen = ""
        self._read_to = 0
        self._master, slave = os.openpty()
        inherited = {n: v for n, v in os.environ.items() if n not in init_names() and n != "TZ"}
        self._process = subprocess.Popen(
            [sys.executable, "-c", DRIVER, *arguments],
            cwd=folder,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            env={**inherited, "COLUMNS": "250", "TERM": "dumb", **environ},
        )
        self._slave = slave

    def sees(self, *words: str) -> None:
        """Wait until the screen shows each of `words`, after what was seen before."""
        for word in words:
            until = time.monotonic() + _PATIENCE_SECONDS
            while (at := self.screen.find(word, self._read_to)) < 0:
                may_come = self._look() and time.monotonic() < until
                assert may_come, f"no {word!r} in:\n{self.screen}"
            self._read_to = at + len(word)

    def answers(self, *pairs: tuple[str, str]) -> None:
        """To each prompt its answer."""
        for prompt, answer in pairs:
            self.sees(prompt)
            if "not shown" in prompt:
                self._wait_for_silence()
            os.write(self._master, f"{answer}\n".encode())

    def _wait_for_silence(self) -> None:
        until = time.monotonic() + _PATIENCE_SECONDS
        while termios.tcgetattr(self._slave)[3] & termios.ECHO:
            assert time.monotonic() < until, "what is typed would be shown"
            time.sleep(0.01)

    def interrupts(self) -> None:
        """Press Ctrl-C, again where Python was just about to wait for a line and did not see it."""
        for _ in range(3):
            os.write(self._master, b"\x03")
            until = time.monotonic() + 3
            while "Stopped" not in self.screen and time.monotonic() < until and self._look():
                pass
            if "Stopped" in self.screen:
                return

    def is_left(self) -> None:
        """Whatever a failed test has left behind ends."""
        self._process.kill()
        self._process.wait()

    def ends(self) -> int:
        while self._look():
            pass
        code = self._process.wait(_PATIENCE_SECONDS)
        os.close(self._slave)
        os.close(self._master)
        return code

    def _look(self) -> bool:
        """Take in what is new; whether there may be more."""
        has_ended = self._process.poll() is not None
        ready, _, _ = select.select([self._master], [], [], 0 if has_ended else 0.1)
        if ready:
            self.screen += os.read(self._master, 65536).decode(errors="replace").replace("\r\n", "\n")
        return bool(ready) or not has_ended


Start = Callable[..., Terminal]


def init_names() -> set[str]:
    """Variables that `cairn init` may find set."""
    return {name for name in os.environ if re.search("TOKEN|PASSWORD|CAIRN", name)}


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


def test_what_is_being_written_is_written_to_the_end(folder: Path) -> None:
    for _ in init_writing.write(folder, "organisation: Acme\n", {"TOKEN": TOKEN}):
        os.kill(os.getpid(), signal.SIGINT)
    assert sorted(path.name for path in folder.iterdir()) == [".env", "cairn.yaml"]
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)


def test_without_a_terminal_it_says_what_to_do(folder: Path) -> None:
    code = "from pathlib import Path; from rich.console import Console; from cairn import init;"
    code += "raise SystemExit(init.run(Path(), Console()))"
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    assert ran.returncode == 2
    assert ran.stdout.count("\n") == 1
    assert "docs/workspace.md" in ran.stdout
    assert not list(folder.iterdir())


def test_a_secret_that_a_tool_says_back_is_not_shown(folder: Path) -> None:
    console = Console(file=StringIO(), width=200)
    conversation = init._Conversation(folder, console)
    conversation._secrets |= {"A": TOKEN, "B": "a"}
    conversation._wrong("tool", f"refuses {TOKEN}", "Mend that")
    assert isinstance(console.file, StringIO)
    assert console.file.getvalue() == "tool: refuses …. Mend that.\n"


class TestQuestions:
    @pytest.mark.parametrize("kind", connectors.kinds())
    def test_every_kind_can_be_asked_for(self, kind: str) -> None:
        questions = init_questions.questions(kind)
        model = connectors.connector_type(kind).options_type
        asked = {question.location[0] for question in questions}
        assert {
            field.alias or name for name, field in model.model_fields.items() if field.is_required()
        } <= asked
        assert all(question.help for question in questions)
        assert init_questions.about(kind)

    def test_what_is_listed_are_settings(self) -> None:
        for kind, names in init_questions._ASKED.items():
            assert set(names) <= connectors.connector_type(kind).options_type.model_fields.keys()

    def test_a_tool_of_another_package(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from tests.cairn import other_tool

        def connector_type(kind: str) -> type[Connector]:
            assert kind == "other"
            return other_tool.OtherConnector

        monkeypatch.setattr(connectors, "connector_type", connector_type)
        asked = {question.location: question for question in init_questions.questions("other")}
        assert asked.keys() == {
            ("address",),
            ("login", "of"),
            ("login", "secret"),
            ("key",),
            ("days",),
            ("rules", 0, "job"),
        }
        assert asked["address",].help == "Where it is. On two lines."
        assert asked["login", "secret"].is_secret
        assert asked["key",].is_secret
        assert not asked["key",].is_required
        assert not asked["days",].is_text
        settings = init._settings({q: n for n, q in enumerate(asked.values())})
        assert settings["rules"] == [{"job": list(asked).index(("rules", 0, "job"))}]
        assert settings["login"].keys() == {"of", "secret"}


@given(st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Zl", "Zp")), min_size=1))
def test_a_secret_comes_back_from_the_env_file(value: str) -> None:
    import io

    from dotenv.parser import parse_stream

    line = f"A=1\nNAME={init_writing._quoted(value)}\nB=2\n"
    assert [each.value for each in parse_stream(io.StringIO(line))] == ["1", value, "2"]


@given(
    st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"))), st.lists(st.text("ab*!${}:#, "))
)
def test_any_answer_comes_back_from_the_file(said: str, listed: list[str]) -> None:
    import yaml

    content = init_writing.text(said, "UTC", [{"kind": said, "names": listed}])
    data = yaml.safe_load(content)
    assert data["organisation"] == said
    assert data["sources"] == [{"kind": said, "names": listed}]


def test_the_timezone_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", ":Europe/Berlin")
    assert init.system_timezone() == "Europe/Berlin"
    for other in ("CET-1CEST", "../x", ""):
        monkeypatch.setenv("TZ", other)
        assert init.system_timezone() in {"UTC", *available_timezones()}
