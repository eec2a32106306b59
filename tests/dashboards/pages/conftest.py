"""One browser and one served dashboard for all pages: to start them takes as long as ten tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from pipelines import annotating, status
from pipelines.home import Home
from pipelines.status import Status
from tests.dashboards.conftest import Visitor, chromium, dashboard


@pytest.fixture(scope="package")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return Home(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module", autouse=True)
def _well(home: Home) -> None:
    home.create()
    status.write(home, Status())


@pytest.fixture(scope="package")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the dashboard was started."""
    return tmp_path_factory.mktemp("elsewhere")


@pytest.fixture(scope="package")
def server(home: Home, folder: Path) -> Iterator[str]:
    with dashboard(home, folder) as address:
        yield address


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="package")
def context(browser: Browser) -> Iterator[BrowserContext]:
    opened = browser.new_context(accept_downloads=True)
    yield opened
    opened.close()


@pytest.fixture(scope="package")
def only_visitor(context: BrowserContext, server: str) -> Visitor:
    """Begins with another page than the first: a server that has shown none yet could take it for unknown."""
    visitor = Visitor(context, server)
    page = visitor.open("/lead-time")
    expect(page).to_have_title("Lead time · Cairn")
    visitor.leave()
    return visitor


@pytest.fixture
def visitor(only_visitor: Visitor) -> Iterator[Visitor]:
    only_visitor.faults.clear()
    yield only_visitor
    only_visitor.leave()
    assert only_visitor.faults == []


@pytest.fixture
def note(home: Home) -> Iterator[Callable[[date, str], None]]:
    """Annotates the whole on a day, as long as the test lasts."""
    added = []

    def add(day: date, text: str) -> None:
        added.append(annotating.add(home, day, text, "organisation", None))

    yield add
    for each in added:
        annotating.remove(home, each.id)
