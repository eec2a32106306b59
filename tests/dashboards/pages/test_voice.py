"""The voice pages and Operate › Waves in a real browser: what is said, what withheld, and as axe sees it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from pipelines.home import Home
from tests.dashboards import look, survey_tables, survey_waves
from tests.dashboards.conftest import Visitor
from tests.dashboards.pages.test_browser import choose
from tests.dashboards.survey_tables import MARKUP

pytestmark = pytest.mark.browser

Open = Callable[[str], Page]


@pytest.fixture(scope="module", autouse=True)
def _surveyed(folder: Path) -> Iterator[None]:
    path = survey_waves.workspace(folder)
    yield
    path.unlink()


def publish(home: Home, *, is_empty: bool = False) -> None:
    """Publish four waves or none."""
    name = "voice-none" if is_empty else "voice-four"
    if (home.published / f"{name}.duckdb").exists():
        (home.published / "CURRENT").write_text(name)
    else:
        survey_tables.publish(home, name, "truncate marts.survey_wave" if is_empty else "")


@pytest.fixture
def opened(home: Home, visitor: Visitor) -> Open:
    """Opens a page of four waves."""
    publish(home)
    return visitor.open


def test_without_any_survey_a_page_says_how_to_begin(home: Home, visitor: Visitor) -> None:
    publish(home, is_empty=True)
    page = visitor.open("/results")
    said, command = (
        page.get_by_text("No survey was opened yet."),
        page.get_by_text("cairn survey open 2026-autumn"),
    )
    expect(said).to_be_visible()
    expect(command).to_be_visible()
    above, below = said.bounding_box(), command.bounding_box()
    assert above
    assert below
    assert above["y"] + above["height"] < below["y"]


def test_before_the_first_is_closed_it_says_how_far_it_is(home: Home, visitor: Visitor) -> None:
    survey_waves.opened(home, "2026-11", 20, 9)
    publish(home, is_empty=True)
    page = visitor.open("/comments")
    expect(page.get_by_text("No survey has been released yet.")).to_be_visible()
    expect(page.get_by_text("cairn survey close 2026-11")).to_be_visible()


def test_results_say_response_change_and_what_is_withheld(opened: Open, visitor: Visitor) -> None:
    page = opened("/results")
    expect(page.locator(".st-key-score-response")).to_contain_text("72 %")
    expect(page.get_by_text("86 of 120 invited")).to_be_visible()
    expect(page.get_by_text("Up by 21 points since 2026-05.")).to_be_visible()
    expect(page.get_by_text("No detectable change since 2026-05").first).to_be_visible()
    expect(page.locator(".js-plotly-plot")).to_have_count(2)
    heat = page.locator(".st-key-heat")
    heat.scroll_into_view_if_needed()
    # A table is drawn on a canvas; its cells are in it for screen readers.
    for said in ("withheld", "no data", "Discovery", "Till <i>team</i>"):
        expect(heat.locator("[role=gridcell]").filter(has_text=said).first).to_be_attached()
    visitor.leave()
    page = look.watched(visitor, "/results")
    choose(page, visitor, "Group", "Search")
    expect(page.get_by_text("Search: Withheld: too few answers. Counted in Discovery.")).to_be_visible()
    expect(page.get_by_text("Favourable answers", exact=True)).to_have_count(0)
    assert [*look.faults(page)] == []


def test_comments_are_text_found_by_words_and_downloaded_inert(opened: Open) -> None:
    page = opened("/comments")
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


def test_drivers_say_that_they_are_no_causes(opened: Open, visitor: Visitor) -> None:
    page = opened("/drivers")
    expect(page.get_by_text("Association, not cause.")).to_be_visible()
    expect(page.locator(".js-plotly-plot")).to_contain_text("14 %, falls with it")
    choose(page, visitor, "Wave", "2026-05")
    expect(page.get_by_text("Too few people answered every question")).to_be_visible()
    expect(page.locator(".js-plotly-plot")).to_have_count(0)


def test_what_was_done_is_text_with_links_to_the_web_alone(opened: Open) -> None:
    page = opened("/actions")
    expect(page.get_by_text(MARKUP)).to_be_visible()
    links = page.locator("[data-testid=stMain]").get_by_role("link")
    assert [link.get_attribute("href") for link in links.all()] == ["https://acme.example/checks"]
    expect(page.get_by_text("cairn survey act 2026-08")).to_be_visible()


def test_waves_say_what_to_do_next_and_who_is_left_in_quarters(opened: Open) -> None:
    page = opened("/waves")
    wave = page.locator(".st-key-wave-2026-11")
    expect(wave).to_contain_text("25 – 50 %")
    expect(wave).to_contain_text("cairn survey close 2026-11")
    expect(wave).to_contain_text("fewer than 7")
