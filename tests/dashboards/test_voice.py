"""The voice pages and Operate › Waves in a real browser: what is said, what withheld, and as axe sees it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from axe_playwright_python.base import AXE_FILE_PATH
from playwright.sync_api import Page, expect

from pipelines import status
from pipelines.home import Home
from pipelines.status import Status
from tests.dashboards import survey_tables, survey_waves
from tests.dashboards.conftest import Visitor
from tests.dashboards.survey_tables import MARKUP

pytestmark = pytest.mark.browser

PAGES = ("/results", "/drivers", "/comments", "/actions", "/waves")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
STREAMLIT = {"list", "listitem"}
"""Rules that Streamlit's own navigation breaks: it puts its sections as `div` between `ul` and `li`."""
_numbers = count()


@pytest.fixture(scope="module", autouse=True)
def _surveyed(home: Home) -> Iterator[None]:
    home.create()
    status.write(home, Status())
    with pytest.MonkeyPatch.context() as patch:
        # Before the server starts.
        patch.setenv("CAIRN_WORKSPACE", str(survey_waves.workspace(home)))
        yield


def publish(home: Home, amend: str = "") -> None:
    survey_tables.publish(home, f"voice-{next(_numbers):03d}", amend)


def test_without_any_survey_the_pages_say_how_to_begin(home: Home, visitor: Visitor) -> None:
    publish(home, "truncate marts.survey_wave")
    for path in ("/results", "/waves"):
        page = visitor.open(path)
        expect(page.get_by_text("No survey was opened yet.")).to_be_visible()
        expect(page.get_by_text("cairn survey open 2026-autumn")).to_be_visible()


def test_before_the_first_is_closed_they_say_how_far_it_is(home: Home, visitor: Visitor) -> None:
    survey_waves.opened(home, "2026-11", 20, 9)
    publish(home, "truncate marts.survey_wave")
    page = visitor.open("/comments")
    expect(page.get_by_text("No survey has been released yet.")).to_be_visible()
    expect(page.get_by_text("cairn survey close 2026-11")).to_be_visible()


def test_results_say_response_change_and_what_is_withheld(home: Home, visitor: Visitor) -> None:
    publish(home)
    page = visitor.open("/results")
    expect(page.locator(".st-key-score-response")).to_contain_text("72 %")
    expect(page.get_by_text("86 of 120 invited")).to_be_visible()
    expect(page.get_by_text("Up by 21 points since 2026-05.")).to_be_visible()
    expect(page.get_by_text("No detectable change since 2026-05").first).to_be_visible()
    heat = page.locator(".st-key-table-heat")
    for said in ("withheld", "no data", "Discovery", "Till <i>team</i>"):
        expect(heat.get_by_role("gridcell", name=said).first).to_be_attached()
    expect(page.locator(".js-plotly-plot")).to_have_count(2)


def test_a_withheld_group_names_where_it_counts_and_nothing_else(home: Home, visitor: Visitor) -> None:
    publish(home)
    page = visitor.open("/results?group=%E2%80%83Search")
    expect(page.get_by_text("Search: Withheld: too few answers. Counted in Discovery.")).to_be_visible()
    expect(page.get_by_text("Favourable answers", exact=True)).to_have_count(0)


def test_comments_are_text_found_by_words_and_downloaded_inert(
    home: Home, visitor: Visitor, tmp_path: Path
) -> None:
    publish(home)
    page = visitor.open("/comments")
    comments = page.locator(".comments")
    expect(comments.locator("bdi")).to_have_count(5)
    expect(comments.get_by_text(f"<img src=x onerror=alert(1)> {MARKUP}")).to_be_visible()
    expect(comments.locator("img, script, a, b, code")).to_have_count(0)
    expect(page.get_by_text("3 comments withheld")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download CSV").click()
    assert "'=HYPERLINK" in Path(download.value.path()).read_text()
    page.get_by_role("textbox", name="Search").fill("reviews")
    page.keyboard.press("Enter")
    expect(comments.locator("bdi")).to_have_count(1)
    assert "search=reviews" in page.url


@pytest.mark.parametrize("path", PAGES)
def test_every_page_fits_and_axe_finds_nothing(
    home: Home, visitor: Visitor, path: str, shot: Path | None
) -> None:
    publish(home)
    visitor.context.add_init_script(path=AXE_FILE_PATH)
    page, faults = visitor.open(path, width=390, scheme="dark"), []
    for width, scheme in ((390, "dark"), (1440, "light")):
        page.set_viewport_size({"width": width, "height": 1000})
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        faults += [f"{width}, {scheme}: {fault}" for fault in _faults(page, width)]
        if shot:
            page.wait_for_timeout(1000)
            page.screenshot(path=shot / f"voice{path.replace('/', '-')}-{width}-{scheme}.png")
    assert faults == []


def test_what_was_done_is_text_with_links_to_the_web_alone(home: Home, visitor: Visitor) -> None:
    publish(home)
    page = visitor.open("/actions")
    expect(page.get_by_text(MARKUP)).to_be_visible()
    links = page.locator("[data-testid=stMain]").get_by_role("link")
    assert [link.get_attribute("href") for link in links.all()] == ["https://acme.example/checks"]
    expect(page.get_by_text("cairn survey act 2026-08")).to_be_visible()


def _faults(page: Page, width: int) -> Iterator[str]:
    """What is wrong with a page as it stands."""
    # What fades in has less contrast while it does.
    page.add_style_tag(content="*, *::before { transition: none !important; animation: none !important; }")
    page.wait_for_timeout(300)
    if page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") > width:
        yield "too wide"
    for each in page.evaluate("rules => axe.run({runOnly: rules})", RULES)["violations"]:
        where = "[data-testid=stSidebar]" if each["id"] in STREAMLIT else None
        for node in each["nodes"]:
            if where is None or not page.locator(where).locator(node["target"][0]).count():
                yield f"{each['id']}: {node['html']}"
