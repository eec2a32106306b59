"""The pictures in `docs/`: `pytest tests/dashboards/test_screenshots.py --screenshots docs` takes them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from pipelines.home import Home
from tests.dashboards import look
from tests.dashboards.conftest import Visitor

pytestmark = pytest.mark.browser

MOST_BYTES = 150_000
PICTURES = {
    "home-leadership": ("/", 1280, "light"), "home-platform": ("/?as=Platform+team", 1280, "dark"),
    "home-developer": ("/?as=Developer", 390, "light"), "overview": ("/overview", 1280, "light"),
    "lead-time": ("/lead-time", 1280, "dark"), "stability": ("/stability", 1280, "light"),
    "adoption": ("/adoption", 1280, "light"), "results": ("/results", 1280, "light"),
    "ci": ("/ci", 1440, "dark"), "report": ("/report", 1280, "light"),
}  # fmt: skip
"""Name → path, width, and whether by day."""
HEIGHTS = {390: 844, 1280: 900, 1440: 1000}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The demo's with its surveys, at `CAIRN_HOME` where `cairn demo surveys` was run before."""
    if "CAIRN_HOME" in os.environ:
        return Home.from_env()
    made = Home(tmp_path_factory.mktemp("demo"))
    command = [sys.executable, "-m", "cairn", "demo", "surveys"]
    subprocess.run(command, env={**os.environ, "CAIRN_HOME": str(made.root)}, check=True)
    return Home(made.root / "demo")


@pytest.fixture(scope="module")
def visitor(browser: Browser, server: str) -> Iterator[Visitor]:
    visitor = Visitor(browser.new_context(), server)
    yield visitor
    assert visitor.faults == []


@pytest.mark.parametrize("name", PICTURES)
@pytest.mark.timeout(600)
def test_pictures(visitor: Visitor, shot: Path | None, name: str) -> None:
    assert shot
    path, width, scheme = PICTURES[name]
    page = visitor.open(path, width=width, scheme=scheme)
    look.settle(visitor, page)
    page.set_viewport_size({"width": width, "height": HEIGHTS[width]})
    page.wait_for_timeout(1500)
    (shot / f"{name}.png").write_bytes(page.screenshot())
    assert (shot / f"{name}.png").stat().st_size <= MOST_BYTES
