"""A dashboard that people sign in to, at a real identity provider, with a clock that a test may set."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import quote

import pytest
from filelock import FileLock
from playwright.sync_api import APIResponse, BrowserContext, Cookie
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from pipelines.home import Home
from tests.dashboards.conftest import get

PROVIDER = Path(__file__).parents[1] / "identity"
SECRET = "of-the-test-alone"
SETTINGS = """
organisation: Acme
sources: [{{kind: git, repositories: [/srv/x]}}]
sign_in:
  issuer: {issuer}
  client_id: cairn
  client_secret: ${{CAIRN_CLIENT_SECRET}}
  public_url: {address}
  roles: {{developer: [engineering], leadership: [cto-office], admin: [cairn-admins]}}
  scopes: [groups]
  contact: "#platform on Slack"
"""
# The server's clock is ahead by what a file says.
SERVER = """
import sys, time
from pathlib import Path
from dashboards import sessions
ahead = Path(sys.argv.pop())
sessions.now = lambda: time.time() + float(ahead.read_text())
from dashboards.__main__ import main
main()
"""
PEOPLE = {"dev": ["engineering", "coffee"], "lead": ["cto-office"], "admin": ["cairn-admins"], "temp": []}


@dataclass(frozen=True)
class Place:
    """A dashboard, and who may come in."""

    address: str
    issuer: str
    folder: Path

    def set_people(self, people: dict[str, list[str]]) -> None:
        """Who the provider knows: login → groups."""
        (self.folder / "people.json").write_text(json.dumps(people))

    def set_ahead(self, seconds: float) -> None:
        """Let the server's clock be ahead."""
        (self.folder / "ahead").write_text(str(seconds))

    def log(self) -> str:
        """What the server wrote so far."""
        return (self.folder / "log").read_text()


@contextmanager
def signing_in(home: Home, folder: Path) -> Iterator[Place]:
    """Serve `home` with sign-in; files of the test's are in `folder`."""
    _install()
    port, provider_port = _free(), _free()
    place = Place(f"http://127.0.0.1:{port}", f"http://127.0.0.1:{provider_port}", folder)
    place.set_people(PEOPLE)
    place.set_ahead(0)
    workspace = folder / "cairn.yaml"
    workspace.write_text(SETTINGS.format(issuer=place.issuer, address=place.address))
    environ = os.environ | {"CAIRN_HOME": str(home.root), "CAIRN_WORKSPACE": str(workspace)}
    provider = ["node", "provider.mjs", str(provider_port), f"{place.address}/sign-in/callback"]
    server = [sys.executable, "-c", SERVER, "--port", str(port), str(folder / "ahead")]
    with ExitStack() as stack:
        log = stack.enter_context((folder / "log").open("w"))
        quiet = stack.enter_context((folder / "provider").open("w"))
        stack.enter_context(_running([*provider, str(folder / "people.json")], quiet, cwd=PROVIDER))
        stack.enter_context(
            _running(
                server, log, cwd=Path(__file__).parents[2], env=environ | {"CAIRN_CLIENT_SECRET": SECRET}
            )
        )
        while get(place.address, "/healthz")[0] != 200 or not get(place.issuer, "/jwks")[0]:
            time.sleep(0.05)
        yield place


@dataclass(frozen=True)
class Person:
    """Somebody with a browser."""

    place: Place
    context: BrowserContext

    def get(self, path: str, **options: Any) -> APIResponse:
        """What comes of a path, or of a whole address, with the browser's cookies."""
        address = path if path.startswith("http:") else self.place.address + path
        return self.context.request.get(address, **{"headers": {}, **options})

    def sign_in(
        self, login: str, to: str = "/", *, back_to: str | None = None, stop_before_callback: bool = False
    ) -> APIResponse:
        """Go a browser's way, from the notice on a page to the provider and back."""
        notice = self.get(to, headers={"Accept": "text/html"})
        link = re.search(r'href="(/sign-in/[^"]*)"', notice.text())
        assert (notice.status, bool(link)) == (401, True)
        assert link
        self.context.clear_cookies(name=re.compile("^_session"))  # The provider asks who it is each time.
        form = self.get(link[1] if back_to is None else f"/sign-in/?next={quote(back_to)}")
        action = re.search(r'action="([^"]+)"', form.text())
        assert action
        asked: dict[str, str | float | bool] = {"prompt": "login", "login": login, "password": "any"}
        if not stop_before_callback:
            return self.context.request.post(action[1], form=asked, headers={"Accept": "text/html"})
        resumed = self.context.request.post(action[1], form=asked, max_redirects=0)
        return self.get(resumed.headers["location"], max_redirects=0)

    def cookie(self) -> Cookie:
        """The one a session is known by."""
        return next(each for each in self.context.cookies() if each.get("name") == "cairn")

    def socket(self, *, cookie: str | None = None, headers: dict[str, str] | None = None) -> ClientConnection:
        """A connection as Streamlit's own script in the browser makes it."""
        own = cookie if cookie is not None else self.cookie().get("value")
        return connect(
            self.place.address.replace("http", "ws", 1) + "/_stcore/stream",
            additional_headers={"Cookie": f"cairn={own}"} | (headers or {}),
            subprotocols=[Subprotocol("streamlit")],
            max_size=None,
            legacy=True,
        )


@contextmanager
def _running(command: list[str], log: object, **options: object) -> Iterator[None]:
    process = subprocess.Popen(command, stdout=log, stderr=log, **options)  # type: ignore[call-overload]
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)


def _install() -> None:
    if not (shutil.which("node") and shutil.which("npm")):
        _cannot("node and npm are not installed: apt-get install nodejs npm")
    lock, installed = PROVIDER / "package-lock.json", PROVIDER / "node_modules" / ".package-lock.json"
    with FileLock(PROVIDER / "node_modules.lock"):
        if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
            made = subprocess.run(
                ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
                cwd=PROVIDER, capture_output=True, text=True, check=False,
            )  # fmt: skip
            if made.returncode:
                _cannot(f"npm could not install the identity provider: {made.stderr[-300:]}")


def _cannot(reason: str) -> NoReturn:
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def _free() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
