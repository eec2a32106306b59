"""Every page, one after the other: that it fits, that all can read it, and that no name does anything."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote_plus

import duckdb
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from dashboards.site import PAGES
from pipelines.home import Home
from tests.dashboards import hostile, look, snapshot, survey_tables
from tests.dashboards.conftest import Visitor
from tests.dashboards.pages.test_browser import ACTIVE

pytestmark = pytest.mark.browser

OWN = ("https://git.example/", "https://pager.example/", "https://acme.example/")
"""Where the links of the data lead."""
CHARTS = {
    "Overview": 4, "Lead time": 4, "Stability": 5, "CI": 6, "Work": 4, "Report": 5, "Adoption": 2,
    "Funnel & cohorts": 1, "Conformance": 2, "Migrations": 1, "Results": 2, "Drivers": 1, "Comments": 1,
}  # fmt: skip
"""Title of a page → charts on it."""
EMPTY = ("capability", "check_result", "data_quality", "migration", "quarantine", "survey_wave", "unmapped")
"""Tables without which a page has nothing to show; there are no deployments either."""


def _alive(page: Page) -> list[str]:
    """What of the names has become part of the page."""
    found: list[str] = page.evaluate(
        """own => {
            const main = document.querySelector('[data-testid=stMain]')
            const links = [...main.querySelectorAll('a[href]')].map(a => a.href)
                .filter(url => !url.startsWith(location.origin) && !own.some(host => url.startsWith(host)))
            const images = [...main.querySelectorAll('img')].filter(img => !img.src.startsWith('data:'))
            const others = [...main.querySelectorAll('script, iframe, object, h5, .katex, [onerror]')]
            return [...links, ...[...images, ...others].map(each => each.outerHTML)]
        }""",
        [*OWN],
    )
    return found


def _faults(page: Page, title: str) -> Iterator[str]:
    return look.faults(page, with_sidebar=title == PAGES[0].title)


def _publish_hostile(home: Home) -> None:
    if (home.published / "pages-hostile.duckdb").exists():
        (home.published / "CURRENT").write_text("pages-hostile")
        return
    teams = {name: hostile.NAMES[1 - place] for place, name in enumerate(hostile.NAMES)}
    plan = replace(ACTIVE, services=teams, every_days=40, organisation=hostile.NAMES[1])
    hostile.publish(home, plan, "pages-hostile")


@pytest.mark.timeout(600)
def test_no_name_and_no_url_does_anything_on_any_page(home: Home, visitor: Visitor) -> None:
    _publish_hostile(home)
    page = look.watched(visitor, f"/?{hostile.SOUP}")
    found = []
    for title in look.walk(visitor, page):
        expect(page.locator(".js-plotly-plot")).to_have_count(CHARTS.get(title, 0))
        found += [f"{title}: {fault}" for fault in (*_faults(page, title), *_alive(page))]
    assert found == []


@pytest.mark.timeout(300)
def test_a_page_without_anything_to_show_says_so(home: Home, visitor: Visitor) -> None:
    nothing = "; ".join(f"truncate marts.{table}" for table in EMPTY)
    survey_tables.publish(home, "pages-empty", nothing)
    page = look.watched(visitor, "/")
    found = []
    for title in look.walk(visitor, page):
        said = page.locator("[data-testid=stMain]").inner_text()
        assert re.search(r"\bno\b|nothing|not (yet|found)|does not", said, re.IGNORECASE), title
        found += [f"{title}: {fault}" for fault in _faults(page, title)]
    assert found == []


def test_a_page_that_is_not_there_leads_to_the_first(
    home: Home, context: BrowserContext, server: str
) -> None:
    page = context.new_page()
    answer = page.goto(f"{server}/no-such-page?service=shop")
    assert answer
    assert answer.status == 404
    expect(page.get_by_role("heading", name="There is no such page")).to_be_visible()
    page.get_by_role("link", name="To the first page").click()
    expect(page).to_have_title("Home · Cairn")
    page.close()


def test_a_hostile_name_is_chosen_and_downloaded_as_text(home: Home, visitor: Visitor) -> None:
    _publish_hostile(home)
    formula = hostile.NAMES[3]
    page = visitor.open(f"/overview?period=All&service={quote_plus(formula)}")
    expect(page.get_by_role("combobox", name="Service", exact=True)).to_have_value(formula)
    with page.expect_download() as downloading:
        page.get_by_role("button", name="Download CSV").first.click()
    name = downloading.value.suggested_filename
    assert name.startswith("cairn-deployments-HYPERLINK-https-evil.example-i-")
    rows = list(csv.DictReader(io.StringIO(Path(downloading.value.path()).read_text())))
    assert {row["service"] for row in rows} == {f"'{formula}"}


def test_fifty_thousand_rows_are_counted_and_downloaded_and_shown_in_part(
    home: Home, visitor: Visitor
) -> None:
    snapshot.publish(home, ACTIVE, "pages-many")
    with duckdb.connect(home.published / "pages-many.duckdb") as connection:
        for table, name in (("deployment", "deployment_id"), ("adoption_service", "url")):
            generated = "exclude (subject_key)" if table == "deployment" else ""
            connection.execute(
                f"insert into marts.{table} by name select r.* {generated} replace (r.{name} || n as {name})"
                f" from (select * from marts.{table} order by {name} desc limit 1) as r"
                f" cross join range(50_000 - (select count(*) from marts.{table})) as t(n)"
            )
    page = visitor.open("/overview?period=All")
    expect(page.get_by_text("50,000 deployments in ")).to_contain_text("the first 500 of them shown")
    with page.expect_download() as downloading:
        page.get_by_role("button", name="Download CSV").first.click()
    assert len(Path(downloading.value.path()).read_text().splitlines()) == 50_001
    page.get_by_test_id("stSidebar").get_by_role("link", name="Adoption").click()
    page.get_by_role("tab", name="Who uses it").click()
    expect(page.get_by_text("services, the first 500 of them shown")).to_be_visible()
