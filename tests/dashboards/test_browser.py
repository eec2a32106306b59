"""The pages in a real browser: figures, filters, drill-down, downloads and the designed states."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from pipelines import status
from pipelines.home import Home
from pipelines.status import SourceProblem, SourceStatus, Status
from tests.dashboards import snapshot
from tests.dashboards.conftest import Visitor
from tests.dashboards.snapshot import Plan

pytestmark = pytest.mark.browser

NOW = datetime.now(UTC)
LAST_MONTH = (NOW.date().replace(day=1) - timedelta(days=1)).replace(day=1)
ACTIVE = Plan(first_on=NOW.date() - timedelta(days=600), last_on=NOW.date(), covered_until=NOW)
MANY = replace(
    ACTIVE,
    services={
        "shop": "Payments",
        "till": "Payments",
        "search": "Discovery",
        "maps": "Discovery",
        "feed": None,
    },
    parents={"Payments": "Commerce", "Commerce": None},
    every_days=9,
)
_numbers = count()


@pytest.fixture(autouse=True)
def _well(home: Home) -> None:
    home.create()
    status.write(home, Status())


def publish(home: Home, plan: Plan) -> None:
    """Publish a snapshot no page has seen yet."""
    snapshot.publish(home, plan, f"test-{next(_numbers):03d}")


def choose(page: Page, visitor: Visitor, label: str, option: str) -> None:
    """Choose an option of a select box."""
    page.get_by_role("combobox", name=label, exact=True).click()
    page.get_by_role("option", name=option, exact=True).click()
    page.wait_for_timeout(300)
    visitor.settle(page)


def test_overview_shows_the_last_complete_period(home: Home, visitor: Visitor, shot: Path | None) -> None:
    publish(home, replace(ACTIVE, every_days=2))
    page = visitor.open()
    expect(page.locator("[data-testid=stMetric]")).to_have_count(3)
    month = f"{LAST_MONTH:%b %Y}"
    expect(page.locator("[data-testid=stMetric]").last).to_contain_text(f"Change lead time · {month}")
    expect(page.locator(".js-plotly-plot")).to_have_count(2)
    expect(page.locator(".barlayer path").first).to_be_attached()
    expect(page.get_by_text("Demo data")).to_have_count(0)
    if shot:
        page.wait_for_timeout(1000)
        page.screenshot(path=shot / "overview.png")


def test_filters_live_in_the_url(home: Home, visitor: Visitor) -> None:
    publish(home, MANY)
    page = visitor.open()
    expect(page.get_by_role("combobox", name="Service")).to_have_value("All services")
    choose(page, visitor, "By", "Quarter")
    choose(page, visitor, "Period", "All")
    choose(page, visitor, "Service", "Team: Commerce")
    page.get_by_role("link", name="Lead time").click()
    page.wait_for_url("**/lead-time*")
    visitor.settle(page)
    expect(page.get_by_role("heading", name="Distribution")).to_be_visible()
    assert "grain=Quarter" in page.url
    assert "period=All" in page.url

    other = visitor.open(page.url.removeprefix(visitor.server))
    for label, value in (("By", "Quarter"), ("Period", "All"), ("Service", "Team: Commerce")):
        expect(other.get_by_role("combobox", name=label, exact=True)).to_have_value(value)
    expect(other.locator("[data-testid=stMetric]")).to_contain_text("Change lead time · Q")


def test_a_parent_team_has_what_the_teams_below_it_have(home: Home, visitor: Visitor) -> None:
    publish(home, MANY)
    counted = []
    for team in ("Commerce", "Payments"):
        page = visitor.open(f"/?service=Team%3A+{team}&period=All")
        counted.append(page.get_by_text(re.compile(r"^\d+ deployments in ")).inner_text())
    assert counted[0] == counted[1]


@pytest.mark.parametrize(
    "query",
    [
        "period=%27%3B--&grain=Fortnight&service=%3Cscript%3E",
        "period=Custom&since=0000-99-99&until=2999-01-01",
        "period=Custom&since=2026-10-01&until=2026-09-01&at=nothing",
        "grain=&period=&period=All&service=" + "x" * 5000,
    ],
)
def test_garbage_in_the_url_is_harmless(home: Home, visitor: Visitor, query: str) -> None:
    publish(home, ACTIVE)
    page = visitor.open(f"/?{query}")
    expect(page.locator("[data-testid=stMetric]")).to_have_count(3)


def test_a_bar_opens_what_is_behind_it(home: Home, visitor: Visitor) -> None:
    publish(home, ACTIVE)
    page = visitor.open()
    page.locator(".barlayer path").nth(9).click(force=True)
    page.wait_for_url("**at=*")
    visitor.settle(page)
    chosen = page.url.partition("at=")[2].replace("+", " ")
    caption = page.get_by_text(re.compile(r"^\d+ deployments? in 1 ")).inner_text()
    assert caption.endswith(chosen)

    # The grid's own export would write formulas as they are.
    expect(page.get_by_role("button", name="Fullscreen").first).to_be_attached()
    expect(page.get_by_role("button", name="Download as CSV")).to_have_count(0)
    with page.expect_download() as downloading:
        page.get_by_role("button", name="Download CSV").first.click()
    month = datetime.strptime(chosen, "%b %Y").replace(tzinfo=UTC)
    assert downloading.value.suggested_filename.startswith(f"cairn-deployments-shop-{month:%Y-%m-%d}-to-")
    rows = list(csv.DictReader(io.StringIO(Path(downloading.value.path()).read_text())))
    assert len(rows) == int(caption.split()[0])
    assert all(row["finished_at"].startswith(f"{month:%Y-%m-}") for row in rows)


def test_a_definition_stands_by_its_figure(home: Home, visitor: Visitor) -> None:
    publish(home, ACTIVE)
    page = visitor.open("/lead-time")
    page.get_by_role("button", name="Definition").first.click()
    expect(page.get_by_text("Median time from writing to deployment.")).to_be_visible()
    expect(page.get_by_text("Woodruff")).to_be_visible()


def test_a_new_snapshot_is_picked_up(home: Home, visitor: Visitor) -> None:
    publish(home, ACTIVE)
    page = visitor.open()
    publish(home, replace(ACTIVE, is_demo=True))
    choose(page, visitor, "By", "Week")
    expect(page.get_by_text("Demo data")).to_be_visible()


def test_the_first_page_waits_for_the_first_sync(home: Home, visitor: Visitor) -> None:
    (home.published / "CURRENT").unlink(missing_ok=True)
    page = visitor.open()
    expect(page.get_by_text("Nothing has been read yet")).to_be_visible()
    expect(page.get_by_text("cairn sync")).to_be_visible()
    status.begin(home, NOW)
    expect(page.get_by_text("Reading your history")).to_be_visible(timeout=15_000)
    publish(home, ACTIVE)
    expect(page.locator("[data-testid=stMetric]")).to_have_count(3, timeout=15_000)
    expect(page.get_by_text("A sync is under way")).to_be_visible()


def test_no_deployments_says_what_was_read_and_what_to_change(home: Home, visitor: Visitor) -> None:
    publish(home, replace(ACTIVE, last_on=date(2000, 1, 1)))
    page = visitor.open()
    expect(page.get_by_text("2,400 commits and 120 tags were read from 1 repository")).to_be_visible()
    expect(page.get_by_text(snapshot.RELEASES)).to_be_visible()
    expect(page.get_by_text("releases: ")).to_be_visible()


def test_trouble_is_said_above_the_figures(home: Home, visitor: Visitor) -> None:
    publish(home, replace(ACTIVE, covered_until=NOW - timedelta(days=3), is_demo=True))
    problem = SourceProblem(scope="/srv/git/*.git", message="not a *git* repository", mend="check the path")
    failed = SourceStatus(
        kind="git", attempted_at=NOW, succeeded_at=NOW - timedelta(days=3), problems=[problem]
    )
    status.write(home, Status(sources={"main": failed}))
    page = visitor.open("/lead-time")
    expect(page.get_by_text("This data is 3 days old")).to_be_visible()
    expect(page.get_by_text("/srv/git/*.git: not a *git* repository — check the path")).to_be_visible()
    expect(page.get_by_text("Demo data")).to_be_visible()
    expect(page.locator(".js-plotly-plot")).to_have_count(2)


def test_an_old_history_opens_on_its_last_year(home: Home, visitor: Visitor) -> None:
    publish(home, replace(ACTIVE, first_on=date(2018, 1, 8), last_on=date(2021, 5, 20)))
    page = visitor.open()
    expect(page.get_by_text("1 Jun 2020 – 31 May 2021", exact=True)).to_be_visible()
    expect(page.get_by_text("periods count back from there")).to_be_visible()


def test_an_unreadable_snapshot_says_what_to_do(home: Home, visitor: Visitor) -> None:
    (home.published / "broken.duckdb").write_bytes(b"not a database")
    (home.published / "CURRENT").write_text("broken")
    page = visitor.open()
    expect(page.get_by_text("The figures cannot be read")).to_be_visible()
    expect(page.get_by_text("cairn sync", exact=True).first).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/", "/lead-time"])
def test_a_phone_is_wide_enough(home: Home, visitor: Visitor, path: str, scheme: str) -> None:
    publish(home, MANY)
    page = visitor.open(path, width=390, scheme=scheme)
    expect(page.locator(".js-plotly-plot")).to_have_count(2)
    assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= 390
    dark = page.evaluate("getComputedStyle(document.querySelector('.stApp')).backgroundColor")
    assert dark == ("rgb(16, 21, 29)" if scheme == "dark" else "rgb(255, 255, 255)")
