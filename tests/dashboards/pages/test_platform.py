"""The platform pages in a real browser: who left a capability and for what, funnel, checks, migrations."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest
from playwright.sync_api import Page, expect

from dashboards import words
from pipelines.home import Home
from tests.dashboards import snapshot
from tests.dashboards.conftest import Visitor
from tests.dashboards.pages.test_browser import MANY, NOW, choose

pytestmark = pytest.mark.browser

TODAY = NOW.date()
MANDATED_ON, RETIRED_ON = TODAY - timedelta(days=10), TODAY + timedelta(days=50)


@pytest.fixture(scope="module", autouse=True)
def _published(home: Home) -> None:
    snapshot.publish(home, MANY, "platform-000")
    with duckdb.connect(home.published / "platform-000.duckdb") as connection:
        connection.execute(
            f"update marts.capability set mandated_on = '{MANDATED_ON}' where capability = 'golden-path';"
            f"update marts.capability set retired_on = '{RETIRED_ON}' where capability = 'jenkins'"
        )


def test_two_clicks_tell_which_teams_left_and_what_they_use_instead(visitor: Visitor) -> None:
    page = visitor.open("/adoption")
    told = f"Services that came and left; {words.day(MANDATED_ON)}: Golden path is mandated"
    expect(page.locator(f"[aria-label='{told}']")).to_be_visible()
    choose(page, visitor, "Capability", "Jenkins")
    expect(page.get_by_text("2 teams", exact=True)).to_be_visible()
    expect(page.get_by_text("4 services", exact=True)).to_be_visible()
    assert "capability=Jenkins" in page.url
    header, *rows = downloaded(page, "teams-left")
    assert header == "changed_on,team,change,instead,services"
    assert [row.split(",")[1:] for row in rows] == [
        ["Discovery", "left", "Golden path", "2"],
        ["Payments", "left", "Golden path", "2"],
    ]
    assert len(downloaded(page, "services-left")) == 1 + 4
    page.get_by_role("tab", name="Who never came").click()
    expect(page.get_by_text("1 service", exact=True)).to_be_visible()


def downloaded(page: Page, name: str) -> list[str]:
    """Lines of the CSV that a list's button gives."""
    with page.expect_download() as download:
        page.locator(f".st-key-csv-{name}").get_by_role("button").click()
    return Path(download.value.path()).read_text().splitlines()


def test_a_title_is_no_markup(visitor: Visitor) -> None:
    page = visitor.open("/conformance")
    expect(page.locator(".js-plotly-plot").get_by_text("<b>Scans</b>")).to_be_attached()


def test_a_migration_marks_what_happened_and_will_whatever_is_chosen(
    visitor: Visitor, note: Callable[[date, str], None]
) -> None:
    freeze = TODAY - timedelta(days=70)
    note(freeze, "Freeze")
    note(TODAY - timedelta(days=300), "Before it began")
    page = visitor.open("/migrations?service=feed&period=3+months")
    told = (
        f"Services done of Off Jenkins; {words.day(freeze)}: Freeze;"
        f" {words.day(MANDATED_ON)}: Golden path is mandated; {words.day(RETIRED_ON)}: Jenkins is retired"
    )
    expect(page.locator(f"[aria-label='{told}']")).to_be_visible()
    expect(page.locator(".js-plotly-plot")).to_contain_text("Annotation")


def test_without_capabilities_the_page_says_how_to_name_them(home: Home, visitor: Visitor) -> None:
    snapshot.publish(home, MANY, "platform-001", without="capability")
    page = visitor.open("/adoption")
    expect(page.get_by_text("does not say yet what the platform offers")).to_be_visible()
    expect(page.get_by_text("evidence:")).to_be_visible()
