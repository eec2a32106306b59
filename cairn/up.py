"""`cairn up`: read the sources once, then run the dashboard and Dagster until told to end."""

from __future__ import annotations

import json
import os
import socket
import sys
import sysconfig
import tempfile
import threading
import webbrowser
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from filelock import FileLock, Timeout
from rich.console import Console
from rich.markup import escape
from rich.text import Text

from cairn.processes import Child, Family, Interrupted, Interrupts
from pipelines import dagster_pages
from pipelines.home import Home

HOST = "127.0.0.1"
DASHBOARD_PATIENCE_SECONDS = 120.0
WORTH_RESTARTING_SECONDS = 60.0
SOCKET_PATH_LIMIT = 100  # bytes; systems allow 103 or 107


@dataclass(frozen=True)
class Commands:
    """The command lines of what `up` runs."""

    sync: Sequence[str]
    dashboard: Sequence[str]
    """Answers GET /healthz on its port."""
    code_server: Sequence[str]
    """Listens on the socket. Webserver and daemon share it, which saves a process and its memory."""
    webserver: Sequence[str]
    """Answers GET /server_info on its port."""
    daemon: Sequence[str]
    later: Sequence[str] = ()
    """Run once, below all others, when the dashboard is there; the last line of its log is said."""


def commands(
    port: int,
    dagster_port: int,
    code_socket: Path,
    dagster_workspace: Path,
    *,
    host: str = HOST,
    is_demo: bool = False,
) -> Commands:
    """What `up` runs outside tests. Dagster's pages have no sign-in: they stay on this machine."""
    scripts = Path(sysconfig.get_path("scripts"))
    python, workspace = sys.executable, str(dagster_workspace)
    module = ("--module-name", "cairn.definitions", "--empty-working-directory")
    return Commands(
        sync=(python, "-m", "cairn", "sync"),
        dashboard=(python, "-m", "dashboards", "--host", host, "--port", str(port)),
        code_server=(python, "-m", "dagster", "api", "grpc", "--socket", str(code_socket), *module),
        webserver=(
            python, str(scripts / "dagster-webserver"), "-h", HOST, "-p", str(dagster_port), "-w", workspace
        ),
        daemon=(python, str(scripts / "dagster-daemon"), "run", "-w", workspace),
        later=(python, "-m", "cairn", "demo", "surveys", "--port", str(port)) if is_demo else (),
    )  # fmt: skip


def run(
    workspace_env: Mapping[str, str],
    port: int,
    dagster_port: int,
    open_browser: bool,
    console: Console,
    commands: Callable[[int, int, Path, Path], Commands] = commands,
    *,
    host: str = HOST,
    public_url: str | None = None,
) -> int:
    """Run everything until Ctrl-C, SIGTERM or SIGHUP; the exit code.

    `workspace_env` is laid over the environment of all that is started and names at least
    `CAIRN_HOME`. The dashboard listens on `host`, and people reach it at `public_url`, where that is not
    the same. 0 after a signal; 1 where the dashboard cannot start or ends by itself.
    """
    if not _is_free(port, host):
        console.print(
            f"Port {port} is taken. If Cairn runs already, it is at {public_url or _url(port)}; "
            f"else choose another port: [bold]cairn up --port {_next_free(port + 1, host=host)}[/]"
        )
        return 1
    free_dagster_port = _next_free(dagster_port, avoid=port)
    home = Home.from_env(workspace_env)
    home.create()
    with Interrupts() as interrupts:
        try:
            with FileLock(home.root / "up.lock", timeout=0):
                if free_dagster_port != dagster_port:
                    console.print(
                        f"Port {dagster_port} is taken, so Dagster goes to port {free_dagster_port}."
                    )
                up = _Up(home, workspace_env, interrupts, console, host, public_url)
                return up.run(port, free_dagster_port, open_browser, commands)
        except Timeout:
            console.print(
                f"`cairn up` runs already on {escape(str(home.root))}: end it first, or set CAIRN_HOME."
            )
            return 1


class _Up:
    def __init__(
        self,
        home: Home,
        workspace_env: Mapping[str, str],
        interrupts: Interrupts,
        console: Console,
        host: str,
        public_url: str | None,
    ) -> None:
        self._host = host
        self._public_url = public_url
        self._home = home
        self._console = console
        self._interrupts = interrupts
        # Safe path: where the working directory holds a folder `pipelines`, that isn't ours.
        own = {"DAGSTER_HOME": str(home.dagster), "PYTHONSAFEPATH": "1", "PYTHONUNBUFFERED": "1"}
        self._family = Family({**os.environ, **workspace_env, **own}, interrupts)

    def run(
        self,
        port: int,
        dagster_port: int,
        open_browser: bool,
        commands: Callable[[int, int, Path, Path], Commands],
    ) -> int:
        code_socket, dagster_workspace = self._dagster_files()
        to_run = commands(port, dagster_port, code_socket, dagster_workspace)
        with self._family:
            try:
                self._sync(to_run.sync)
                dashboard = self._family.start(to_run.dashboard, self._fresh_log("dashboard"))
                if not self._wait_for(dashboard, port):
                    return 1
                address = self._public_url or _url(port)
                self._say(f"Cairn is at [bold]{address}[/]. Ctrl-C ends it.")
                if open_browser and _has_display():
                    # Some browsers keep whoever opens them waiting.
                    threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
                dagster = _Dagster(
                    self._home,
                    self._family,
                    to_run,
                    code_socket,
                    dagster_port,
                    self._fresh_log("dagster"),
                    self._say,
                )
                later = self._later(to_run.later)
                while dashboard.exit_code is None:
                    dagster.attend()
                    later = self._heard(later)
                    self._interrupts.tick()
                self._say_dead("The dashboard", dashboard)
                return 1
            except Interrupted:
                self._say("Ending. Once more Ctrl-C ends it at once.")
                return 0

    def _sync(self, command: Sequence[str]) -> None:
        sync = self._family.start(command)
        while sync.exit_code is None:
            self._interrupts.tick()
        if sync.exit_code:
            self._say("[yellow]The sync failed, so the pages show what was read before.[/]")
        self._family.end(sync)

    def _later(self, command: Sequence[str]) -> Child | None:
        return self._family.start(command, self._fresh_log("later"), niceness=10) if command else None

    def _heard(self, later: Child | None) -> Child | None:
        """Say what it came to, once it has ended."""
        if later is None or later.exit_code is None:
            return later
        self._say(Text.from_ansi(later.last_lines(1)))
        self._family.end(later)
        return None

    def _wait_for(self, dashboard: Child, port: int) -> bool:
        while not _answers(port, "/healthz", self._host):
            if dashboard.exit_code is not None or dashboard.age_seconds > DASHBOARD_PATIENCE_SECONDS:
                self._say_dead("The dashboard", dashboard)
                return False
            self._interrupts.tick()
        return True

    def _dagster_files(self) -> tuple[Path, Path]:
        code_socket = self._home.dagster / "code.sock"
        if len(os.fsencode(code_socket)) > SOCKET_PATH_LIMIT:
            code_socket = Path(tempfile.mkdtemp(prefix="cairn-")) / "code.sock"
        # A name of its own, since Dagster ties what a person switched on or off to it.
        location = {"grpc_server": {"socket": str(code_socket), "location_name": "cairn"}}
        dagster_workspace = self._home.dagster / "workspace.yaml"
        dagster_workspace.write_text(json.dumps({"load_from": [location]}))
        return code_socket, dagster_workspace

    def _fresh_log(self, name: str) -> Path:
        log = self._home.logs / f"{name}.log"
        log.unlink(missing_ok=True)
        return log

    def _say_dead(self, name: str, child: Child) -> None:
        end = "does not answer" if child.exit_code is None else f"ended with exit code {child.exit_code}"
        self._say(f"[red]{name} {end}.[/] The last lines of {escape(str(child.log))}:")
        self._say(Text.from_ansi(child.last_lines()))

    def _say(self, message: str | Text) -> None:
        # The terminal may be gone, as it is after SIGHUP.
        with suppress(OSError):
            self._console.print(message)


class _Dagster:
    """The code server, then, once it listens, Dagster's webserver and daemon."""

    def __init__(
        self,
        home: Home,
        family: Family,
        commands: Commands,
        code_socket: Path,
        port: int,
        log: Path,
        say: Callable[[str | Text], None],
    ) -> None:
        self._home = home
        self._family = family
        self._commands = {"code server": commands.code_server}
        self._later = {"webserver": commands.webserver, "daemon": commands.daemon}
        self._code_socket = code_socket
        self._port = port
        self._log = log
        self._say = say
        self._running: dict[str, Child] = {}
        self._announced: int | None = None
        """Process of the webserver that pages link to."""
        code_socket.unlink(missing_ok=True)

    def attend(self) -> None:
        """Start what is due, and what died after a while; give up on what dies at once."""
        if self._later and self._code_socket.exists():
            self._commands |= self._later
            self._later = {}
        for name, command in self._commands.items():
            child = self._running.get(name)
            if child is None:
                self._start(name, command)
            elif child.exit_code is not None and child.age_seconds > WORTH_RESTARTING_SECONDS:
                self._family.end(child)
                self._start(name, command)
            elif child.exit_code is not None:
                self._give_up(name, child)
                return
        webserver = self._running.get("webserver")
        if webserver and webserver.process.pid != self._announced and _answers(self._port, "/server_info"):
            is_first, self._announced = self._announced is None, webserver.process.pid
            dagster_pages.announce(self._home, _url(self._port), self._announced)
            if is_first:
                self._say(f"Dagster is at {_url(self._port)}.")

    def _start(self, name: str, command: Sequence[str]) -> None:
        # Below the dashboard's priority: a page comes before a scheduled read.
        self._running[name] = self._family.start(command, self._log, niceness=5)

    def _give_up(self, name: str, child: Child) -> None:
        self._say(
            f"[yellow]Dagster's {name} ended with exit code {child.exit_code}: nothing is read on schedule "
            f"now; `cairn sync` still works.[/] The last lines of {escape(str(child.log))}:"
        )
        self._say(Text.from_ansi(child.last_lines()))
        self._family.end(*self._running.values())
        self._commands, self._later, self._running = {}, {}, {}


def _url(port: int) -> str:
    return f"http://{HOST}:{port}"


def _is_free(port: int, host: str = HOST) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with closing(socket.socket(family)) as probe:
        # As servers do, so that a port their last connections still linger on counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    # Some systems let a second server bind beside one that listens on every address.
    with closing(socket.socket(family)) as probe:
        return probe.connect_ex((host, port)) != 0


def _next_free(port: int, avoid: int | None = None, host: str = HOST) -> int:
    ports: list[int] = [*range(port, 65536), *range(1024, port)]
    free: int = next(each for each in ports if each != avoid and _is_free(each, host))
    return free


def _answers(port: int, path: str, host: str = HOST) -> bool:
    with closing(HTTPConnection(host, port, timeout=1)) as connection:
        try:
            connection.request("GET", path)
            return connection.getresponse().status == 200
        except (OSError, HTTPException):
            return False


def _has_display() -> bool:
    if sys.platform == "darwin":
        return "SSH_CONNECTION" not in os.environ
    # Without one, a text browser would take the terminal over.
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))
