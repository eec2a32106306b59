"""The landings in a real browser: a question for each kind of person, its answer, and the way on from it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from dashboards.pages import home as landing
from dashboards.roles import Role
from pipelines.home import Home
from tests.dashboards import snapshot, survey_tables
from tests.dashboards.conftest import Visitor
from tests.dashboards.pages.test_browser import MANY, NOW, choose

FILTERS = "period=All&grain=Quarter&service=Team%3A+Commerce"


@pytest.fixture(scope="module", autouse=True)
def _published(home: Home) -> None:
    snapshot.publish(home, MANY, "home-000")
    with duckdb.connect(home.published / "home-000.duckdb") as connection:
        survey_tables.add(connection)


def facts(page: Page) -> Locator:
    return page.locator(".st-key-answer")


def follow(page: Page, visitor: Visitor, way: str, path: str) -> None:
    """Go on from the answer, by keyboard."""
    link = facts(page).get_by_role("link", name=way).first
    link.focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/{path}*")
    visitor.settle(page)
    for label, value in (("By", "Quarter"), ("Service", "Team: Commerce")):
        expect(page.get_by_role("combobox", name=label, exact=True)).to_have_value(value)


@pytest.mark.browser
def test_leadership_sees_whether_delivery_gets_better_and_goes_on_to_what_is_behind(
    visitor: Visitor, browser: Browser, note: Callable[[date, str], None]
) -> None:
    note(NOW.date() - timedelta(days=200), "Reorganised")
    page = visitor.open(f"/?{FILTERS}")
    expect(page.get_by_role("heading", name="Is delivery getting better?")).to_be_visible()
    expect(facts(page)).to_contain_text("figures")
    expect(page.locator("[data-testid=stMetric]")).to_have_count(5)
    # Small, and drawn without a script.
    charts = page.locator("[data-testid=stHtml] img")
    expect(charts).to_have_count(5)
    told = charts.first.get_attribute("alt") or ""
    assert "highest" in told
    assert told.endswith(": Reorganised.")
    expect(page.locator(".js-plotly-plot")).to_have_count(0)
    follow(page, visitor, "Overview", "overview")
    with page.expect_download() as downloading:
        page.get_by_role("button", name="Download CSV").first.click()
    assert downloading.value.suggested_filename.startswith("cairn-deployments-Commerce-")
    assert len(Path(downloading.value.path()).read_text().splitlines()) > 50

    elsewhere = browser.new_context()
    other = Visitor(elsewhere, visitor.server)
    shared = other.open(page.url.removeprefix(visitor.server))
    expect(shared.get_by_role("combobox", name="Service", exact=True)).to_have_value("Team: Commerce")
    elsewhere.close()
    assert other.faults == []


@pytest.mark.browser
def test_the_platform_team_sees_who_left_and_what_the_figures_lack(visitor: Visitor) -> None:
    page = visitor.open(f"/?as=Platform+team&{FILTERS}", width=390, scheme="dark")
    for said in (
        "1 team left", "Payments, Jenkins, on", "for Golden path.", "Off Jenkins: 25 of 40 services done",
        "3 % of deployments are affected by what could not be placed: repository without service",
    ):  # fmt: skip
        expect(facts(page)).to_contain_text(said)
    follow(page, visitor, "Who left", "adoption")
    expect(page.get_by_text("1 team", exact=True)).to_be_visible()


@pytest.mark.browser
def test_developers_see_where_work_waits_and_what_was_done(visitor: Visitor) -> None:
    page = visitor.open("/")
    choose_kind(page, visitor, "Developer")
    assert "as=Developer" in page.url
    expect(facts(page)).to_contain_text("choose your team")
    expect(page.get_by_text("Twice the runners.")).to_be_visible()
    choose(page, visitor, "Service", "Team: Commerce")
    choose(page, visitor, "By", "Quarter")
    expect(facts(page)).not_to_contain_text("choose your team")
    expect(facts(page)).to_contain_text("takes longest: a median of")
    follow(page, visitor, "Lead time", "lead-time")
    assert "stage=" in page.url


def choose_kind(page: Page, visitor: Visitor, kind: str) -> None:
    """With the arrow keys, as a group of choices is gone through."""
    page.get_by_role("radio", name=kind).focus()
    page.keyboard.press("Space")
    page.wait_for_url("**as=*")
    visitor.settle(page)


def test_a_landing_is_of_a_role() -> None:
    everyone = list(landing.KINDS)
    assert landing.kinds(frozenset({Role.admin})) == everyone
    assert landing.kinds(frozenset(Role)) == everyone
    assert landing.kinds(frozenset({Role.developer})) == ["Developer"]
    assert landing.kinds(frozenset({Role.leadership, Role.platform})) == everyone[:2]
