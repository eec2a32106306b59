"""A served dashboard over snapshots made by hand, and a browser that tolerates no error on a page."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect, sync_playwright

from pipelines.home import Home

if TYPE_CHECKING:
    from tests.dashboards.form_client import Form

ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--no-first-run", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)  # fmt: skip


# Charts come with scripts of their own, which a busy machine takes long to read.
expect.set_options(timeout=20_000)


@contextmanager
def dashboard(home: Home, folder: Path) -> Iterator[str]:
    """Address of `python -m dashboards` over `home`, started in `folder`."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "dashboards", "--port", str(port)],
        env=os.environ | {"CAIRN_HOME": str(home.root)},
        cwd=folder,
    )
    try:
        while get(f"http://127.0.0.1:{port}", "/healthz")[0] != 200:
            assert process.poll() is None, "the dashboard ended before it answered"
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


def get(address: str, path: str) -> tuple[int, str]:
    """Status and body; status 0 while nothing listens."""
    connection = HTTPConnection(urlsplit(address).netloc, timeout=30)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read().decode()
    except ConnectionRefusedError:
        return 0, ""
    finally:
        connection.close()


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser. As long as one is open, nothing else in its process can run an event loop."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        reason = "no Chromium is installed: apt-get install chromium"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield launched
        launched.close()


class Visitor:
    """Opens pages, and remembers what went wrong on any of them."""

    def __init__(self, context: BrowserContext, server: str) -> None:
        self.context, self.server = context, server
        self.pages: list[Page] = []
        self.faults: list[str] = []
        self._left: list[Page] = []

    def open(self, path: str = "/", *, width: int = 1440, scheme: str = "light") -> Page:
        """A page in a session of its own, once its script has run."""
        page = self._left.pop() if self._left else self._blank()
        self.pages.append(page)
        page.set_viewport_size({"width": width, "height": 1000})
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        page.goto(self.server + path)
        self.settle(page)
        return page

    def settle(self, page: Page) -> None:
        """Wait until Streamlit has nothing more to draw."""
        page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")
        page.wait_for_selector("h1")
        if page.locator("[data-testid=stException]").count():
            self.faults.append(page.locator("[data-testid=stException]").first.inner_text())

    def leave(self) -> None:
        """End every session and forget it. Its tab has read the scripts, and is kept for the next."""
        while self.pages:
            page = self.pages.pop()
            self.settle(page)
            page.evaluate("localStorage.clear(); sessionStorage.clear()")
            page.goto("about:blank")
            self._left.append(page)
        self.context.clear_cookies()

    def _blank(self) -> Page:
        page = self.context.new_page()
        page.on("request", self._asked)
        page.on("console", lambda said: self._said(said.type, said.text, str(said.location.get("url", ""))))
        page.on("pageerror", lambda error: self.faults.append(f"uncaught: {error}"))
        return page

    # Not by a route that ends them: with one, Chromium keeps nothing of what it has loaded.
    def _asked(self, request: Request) -> None:
        if not request.url.startswith((self.server, "data:", "blob:")):
            self.faults.append(f"asked for {request.url}")

    def _said(self, kind: str, text: str, url: str) -> None:
        # Below a page's path Streamlit probes for its own root, and is told 404 where it is not.
        probing = url.endswith(("/_stcore/health", "/_stcore/host-config"))
        if kind == "error" and not probing:
            self.faults.append(f"console: {text} {url}")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return Home(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def server(home: Home, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A dashboard in a folder that has nothing to do with its home."""
    with dashboard(home, tmp_path_factory.mktemp("elsewhere")) as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def form(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Form]:
    """A survey's form, for tests that do not end the wave."""
    from tests.dashboards.form_client import served

    folder = tmp_path_factory.mktemp("form")
    with served(folder, invited=120, organisation="Acme & Söhne", timezone="Europe/Berlin") as form:
        yield form


@pytest.fixture
def token(form: Form, tokens: list[str]) -> str:
    """Nobody else's link into the form."""
    return tokens.pop()


@pytest.fixture(scope="module")
def tokens(form: Form) -> list[str]:
    return [*form.tokens[1:]]


@pytest.fixture
def shot(request: pytest.FixtureRequest) -> Path | None:
    """Folder for pictures of the pages, where `--screenshots` names one."""
    folder = request.config.getoption("--screenshots")
    return Path(folder) if folder else None
