"""Every page of the demo in a browser: when its heading is there, and when all of it is drawn.

Chromium is driven over its own protocol, of which nothing is switched on but what opens a page: with the
rest, as tests have it, it reads plotly's script four times more than it does for a person. Bars: a heading
within 1.5 s and all within 3 s, once the browser and the server have seen the page.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

from benchmarks.organisation import Size
from dashboards.site import PAGES

FIRST_BAR_SECONDS = 1.5
FULL_BAR_SECONDS = 3.0
_LOADS = 5
"""Of each page; the first is not counted."""
_PATIENCE_SECONDS = 60
_ARGUMENTS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync",
    "--disable-component-update", "--no-first-run", "--remote-debugging-port=0", "--window-size=1440,1000",
)  # fmt: skip
_WATCH = """
    (() => {
        let first = 0
        const watch = setInterval(() => {
            first ||= document.querySelector('h1') ? performance.now() : 0
            const isIdle = document.querySelector('[data-testid=stApp][data-test-script-state=notRunning]')
            const waits = document.querySelector('[data-testid=stSkeleton], [data-testid=stAppSkeleton]')
            const charts = [...document.querySelectorAll('[data-testid=stPlotlyChart]')]
            if (first && isIdle && !waits && charts.every(chart => chart.querySelector('.main-svg'))) {
                window.drawn = [first, performance.now()]
                clearInterval(watch)
            }
        }, 25)
    })()
"""


def main(_: Size) -> bool:
    """Print the times of each page; False where a bar is missed."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not chromium:
        print("no Chromium is installed: nothing was measured")
        return True
    held = True
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        others = {key: value for key, value in os.environ.items() if not key.startswith("CAIRN_")}
        environment = others | {"CAIRN_HOME": str(folder)}
        command = [sys.executable, "-m", "cairn", "sync"]
        subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
        with _served(folder / "demo") as address, _browser(chromium, folder) as browser:
            for page in PAGES:
                loads = [browser.load(f"{address}/{page.path}") for _ in range(_LOADS)][1:]
                first, full = (statistics.median(times) for times in zip(*loads, strict=True))
                held &= first <= FIRST_BAR_SECONDS and full <= FULL_BAR_SECONDS
                print(f"{page.title:<24} heading {first:5.2f} s   all {full:5.2f} s", flush=True)
    print(f"(bars: {FIRST_BAR_SECONDS} s and {FULL_BAR_SECONDS} s)")
    return held


class _Browser:
    """Chromium, by its own protocol."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._sent = 0

    def load(self, url: str) -> tuple[float, float]:
        """Seconds until the heading is there, and until all is drawn, in a tab of its own."""
        tab = self._ask("Target.createTarget", url="about:blank")["targetId"]
        session = self._ask("Target.attachToTarget", targetId=tab, flatten=True)["sessionId"]
        self._ask("Page.enable", session)
        self._ask("Page.addScriptToEvaluateOnNewDocument", session, source=_WATCH)
        self._ask("Page.navigate", session, url=url)
        began = time.monotonic()
        while not (drawn := self._value(session, "window.drawn")):
            assert time.monotonic() - began < _PATIENCE_SECONDS, f"{url} is never drawn"
            time.sleep(0.1)
        self._ask("Target.closeTarget", targetId=tab)
        first, full = drawn
        return first / 1000, full / 1000

    def _value(self, session: str, expression: str) -> Any:
        answer = self._ask("Runtime.evaluate", session, expression=expression, returnByValue=True)
        return answer["result"].get("value")

    def _ask(self, method: str, session: str | None = None, **parameters: object) -> dict[str, Any]:
        self._sent += 1
        question = {"id": self._sent, "method": method, "params": parameters}
        self._connection.send(json.dumps(question | ({"sessionId": session} if session else {})))
        while (answer := json.loads(self._connection.recv())).get("id") != self._sent:
            pass
        result: dict[str, Any] = answer["result"]
        return result


@contextmanager
def _browser(chromium: str, folder: Path) -> Iterator[_Browser]:
    profile = folder / "profile"
    process = subprocess.Popen(
        [chromium, *_ARGUMENTS, f"--user-data-dir={profile}", "about:blank"], stderr=subprocess.DEVNULL
    )
    try:
        said = profile / "DevToolsActivePort"
        while not (said.exists() and len(lines := said.read_text().splitlines()) == 2):
            assert process.poll() is None, "Chromium ended before it could be driven"
            time.sleep(0.05)
        port, path = lines
        with connect(f"ws://127.0.0.1:{port}{path}", max_size=None) as connection:
            yield _Browser(connection)
    finally:
        process.terminate()
        process.wait(30)


@contextmanager
def _served(home: Path) -> Iterator[str]:
    """Address of the dashboard over a home."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "dashboards", "--port", str(port)],
        env=os.environ | {"CAIRN_HOME": str(home)},
    )
    try:
        while not _is_up(port):
            assert process.poll() is None, "the dashboard ended before it answered"
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


def _is_up(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
