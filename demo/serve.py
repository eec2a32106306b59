"""The tools of the simulated organisation, served on loopback by one process that ends with its parent."""

from __future__ import annotations

import argparse
import csv
import gc
import io
import json
import secrets
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, Self

if TYPE_CHECKING:
    from demo.world import World

HOST = "127.0.0.1"
TOOLS = ("github", "jenkins", "pagerduty", "backstage")
SEED = 9
"""Of the organisation that everybody sees."""
JENKINS_USER = "cairn"

_READY_SECONDS = 120.0
_END_SECONDS = 5.0
_SILENCE_SECONDS = 35.0
"""Longer than anybody waits."""
_EXPIRES_AFTER = 150
"""Requests to GitHub after which its token expires, where faults are on."""


class DemoError(Exception):
    """The servers cannot run; `str()` is one line."""


@dataclass
class Running:
    """The servers, as a child process. A context manager; it also ends when this process does."""

    urls: dict[str, str]
    """Tool → its address."""
    environ: dict[str, str] = field(repr=False)
    """What `demo/cairn.yaml` refers to, secrets included."""
    process: subprocess.Popen[str]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End the servers; harmless where they have ended."""
        if self.process.stdin:
            self.process.stdin.close()
        try:
            self.process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.process.stdout:
            self.process.stdout.close()


def start(folder: Path, faults: bool = False, *, seed: int = SEED, scale: float = 1.0) -> Running:
    """Start the servers over the organisation in `folder`, which is made on first use.

    Raises `DemoError` where they end before they are ready.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    log = folder / "serve.log"
    command = [sys.executable, "-P", "-m", "demo", "serve", "--folder", str(folder), "--with-parent"]
    command += ["--seed", str(seed), "--scale", str(scale), *(["--faults"] if faults else [])]
    with log.open("wb") as errors:
        # A session of its own: Ctrl-C in the terminal is for this process, which then ends that one.
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,
        )
    assert process.stdout is not None
    overdue = threading.Timer(_READY_SECONDS, process.kill)
    overdue.start()
    try:
        line = process.stdout.readline()
    except BaseException:
        process.kill()
        process.wait()
        raise
    finally:
        overdue.cancel()
    if not line:
        process.wait()
        last = log.read_text(errors="replace").strip().rpartition("\n")[2]
        raise DemoError(f"the demo's servers ended with exit code {process.returncode}: {last}")
    urls = json.loads(line)
    return Running(urls, {**_Home(folder).environ(), **_addresses(urls)}, process)


def main(arguments: Sequence[str] | None = None) -> int:
    """`python -m demo serve`: serve until told to end, or until the parent is gone."""
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    serve = parser.add_subparsers(required=True).add_parser("serve", help="serve the organisation's tools")
    serve.add_argument("--folder", type=Path, required=True, help="where the organisation is kept")
    serve.add_argument(
        "--faults", action="store_true", help="let requests fail, time out and repeat themselves"
    )
    serve.add_argument("--port-file", type=Path, help="write the addresses there, as JSON, once all is ready")
    serve.add_argument("--seed", type=int, default=SEED, help="which organisation")
    serve.add_argument("--scale", type=float, default=1.0, help="how much of the usual work is done in it")
    serve.add_argument("--with-parent", action="store_true", help="end once standard input is closed")
    chosen = parser.parse_args(arguments)

    def ready(urls: Mapping[str, str]) -> None:
        if chosen.port_file:
            temporary = chosen.port_file.with_suffix(".new")
            temporary.write_text(json.dumps(urls))
            temporary.replace(chosen.port_file)
        sys.stdout.write(json.dumps(urls) + "\n")
        sys.stdout.flush()

    _serve(chosen, ready)
    return 0


class _Home(NamedTuple):
    """The folder in which the organisation is kept."""

    folder: Path

    @property
    def git(self) -> Path:
        return self.folder / "git"

    @property
    def ownership(self) -> Path:
        return self.folder / "ownership.csv"

    @property
    def inventory(self) -> Path:
        return self.folder / "inventory.csv"

    def end(self, seed: int, version: int) -> datetime:
        """When the organisation's time ends: now on first use, and the same ever after."""
        kept = self._read("organisation.json")
        end = str(kept.get("end") or datetime.now(UTC).replace(second=0, microsecond=0).isoformat())
        if kept != (now := {"seed": seed, "version": version, "end": end}):
            self.write("organisation.json", now)
        return datetime.fromisoformat(end)

    def sockets(self) -> dict[str, socket.socket]:
        """Tool → a listening socket, on the same port as last time where that is free.

        Addresses of builds are those of the server: they shall not change from reading to reading.
        """
        ports = self._read("ports.json")
        opened = {tool: _listening(int(ports.get(tool, 0))) for tool in TOOLS}
        if not ports:
            self.write("ports.json", {tool: each.getsockname()[1] for tool, each in opened.items()})
        return opened

    def tokens(self) -> dict[str, str]:
        """Tool → what it lets in; made on first use, mode 600."""
        tokens = self._read("tokens.json")
        if tokens.keys() != set(TOOLS):
            tokens = {tool: secrets.token_urlsafe(24) for tool in TOOLS}
            self.write("tokens.json", tokens)
        return tokens

    def environ(self) -> dict[str, str]:
        """What `demo/cairn.yaml` refers to, but for the addresses."""
        tokens = {f"CAIRN_DEMO_{tool.upper()}_TOKEN": token for tool, token in self.tokens().items()}
        from demo.plan import Calendar, moment

        calendar = Calendar.until(datetime.fromisoformat(self._read("organisation.json")["end"]))
        return {
            **tokens,
            "CAIRN_DEMO_GOLDEN_PATH_FROM": moment(calendar.golden_path[0]).date().isoformat(),
            "CAIRN_DEMO_MANDATE_FROM": moment(calendar.golden_path[-1]).date().isoformat(),
            "CAIRN_DEMO_POSTGRES_FROM": moment(calendar.postgres).date().isoformat(),
            "CAIRN_DEMO_REORGANISED_ON": moment(calendar.reorganised).date().isoformat(),
            "CAIRN_DEMO_SLOW_FROM": moment(calendar.slow_from).date().isoformat(),
            "CAIRN_DEMO_SLOW_UNTIL": moment(calendar.slow_until).date().isoformat(),
            "CAIRN_DEMO_JENKINS_USER": JENKINS_USER,
            "CAIRN_DEMO_GIT": self.git.absolute().as_uri(),
            "CAIRN_DEMO_OWNERSHIP": str(self.ownership.absolute()),
            "CAIRN_DEMO_INVENTORY": str(self.inventory.absolute()),
        }

    def _read(self, name: str) -> dict[str, Any]:
        path = self.folder / name
        try:
            kept = json.loads(path.read_text()) if path.exists() else {}
        except ValueError:
            kept = {}
        return kept if isinstance(kept, dict) else {}

    def write(self, name: str, content: Mapping[str, Any]) -> None:
        """Keep it as JSON, for its owner alone."""
        temporary = self.folder / f".{name}.new"
        temporary.unlink(missing_ok=True)
        temporary.touch(mode=0o600)
        temporary.write_text(json.dumps(content))
        temporary.replace(self.folder / name)


def _listening(port: int) -> socket.socket:
    try:
        return socket.create_server((HOST, port))
    except OSError:
        return socket.create_server((HOST, 0))


def _addresses(urls: Mapping[str, str]) -> dict[str, str]:
    return {f"CAIRN_DEMO_{tool.upper()}_URL": url for tool, url in urls.items()}


def _serve(chosen: argparse.Namespace, ready: Callable[[Mapping[str, str]], None]) -> None:
    import uvicorn

    folder: Path = chosen.folder
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    apps = _apps(folder, chosen.seed, chosen.scale, has_faults=chosen.faults)
    sockets = _Home(folder).sockets()
    by_port = {opened.getsockname()[1]: apps[tool] for tool, opened in sockets.items()}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await by_port[scope["server"][1]](scope, receive, send)

    server = uvicorn.Server(
        uvicorn.Config(
            app,
            lifespan="off",
            log_level="error",
            access_log=False,
            timeout_graceful_shutdown=1,
            # With faults on, their clock is told.
            date_header=not chosen.faults,
        )
    )
    if chosen.with_parent:
        threading.Thread(target=_watch, args=(server,), daemon=True).start()
    # They listen already: whoever comes before the loop runs waits for it.
    ready({tool: f"http://{HOST}:{opened.getsockname()[1]}" for tool, opened in sockets.items()})
    server.run(list(sockets.values()))


def _write_ownership(world: World, path: Path) -> None:
    """Who had which service, as CSV that a source of kind files reads."""
    names = {team.slug: team.name for team in world.teams}
    rows = [
        (
            one.component,
            names[one.team],
            *("" if at is None else at.isoformat() for at in (one.since, one.until)),
        )
        for one in world.ownership
    ]
    _write_csv(path, ("service", "team", "valid_from", "valid_to"), rows)


def _write_inventory(world: World, path: Path) -> None:
    """Which service was built by a pipeline of its own, and until when, as CSV likewise."""
    rows = [
        (f"{one.component}-{kind}", "own-pipeline", "service", one.component, at.isoformat(), kind)
        for one in world.own_pipelines
        for at, kind in ((one.since, "present"), (one.until, "absent"))
        if at
    ]
    _write_csv(path, ("id", "capability", "subject_kind", "subject", "happened_at", "kind"), rows)


def _write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Untouched where it says the same already."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    if not path.exists() or path.read_text() != text.getvalue():
        path.write_text(text.getvalue())


def _watch(server: Any) -> None:
    """End the server once the parent, however it ends, leaves standard input."""
    sys.stdin.read()
    server.should_exit = True


def _apps(folder: Path, seed: int, scale: float, *, has_faults: bool) -> dict[str, Any]:
    """Tool → its app over the organisation, whose repositories are on disk by then."""
    from filelock import FileLock

    from demo import repositories
    from demo.faults import Faults
    from demo.organisation import VERSION, organisation
    from demo.servers import backstage, github, jenkins, pagerduty

    home = _Home(folder)
    with FileLock(folder / "demo.lock"):
        # Hundreds of thousands of objects that all stay: looking for garbage among them is in vain.
        gc.disable()
        made = organisation(seed, home.end(seed, VERSION), scale=scale)
        repositories.write(made.histories, home.git)
        (folder / "ground_truth.json").write_text(made.truth.to_json())
        home.write("surveys.json", made.surveys.to_json())
        _write_ownership(made.world, home.ownership)
        _write_inventory(made.world, home.inventory)
        tokens = home.tokens()
    world = made.world
    del made
    gc.freeze()
    gc.enable()
    apps: dict[str, Any] = {
        "github": github.app(world, token=tokens["github"]),
        "jenkins": jenkins.app(world, user=JENKINS_USER, token=tokens["jenkins"]),
        "pagerduty": pagerduty.app(world, token=tokens["pagerduty"]),
        "backstage": backstage.app(world, token=tokens["backstage"]),
    }
    if has_faults:
        for number, tool in enumerate(apps):
            # What keeps everybody waiting for long, or ends a reading, happens once, to the largest.
            is_largest = tool == "github"
            apps[tool] = Faults(
                apps[tool],
                seed=seed + number,
                silence_seconds=_SILENCE_SECONDS if is_largest else None,
                expires_after=_EXPIRES_AFTER if is_largest else None,
                expired=folder / f"{tool}.expired",
            )
    return apps
