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

from dashboards.pages.delivery import overview
from pipelines import status
from pipelines.home import Home
from pipelines.status import SourceProblem, SourceStatus, Status
from tests.dashboards import look, snapshot
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
CARDS = [*overview.THROUGHPUT, *overview.INSTABILITY]
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


def test_overview_shows_the_last_complete_period(home: Home, visitor: Visitor) -> None:
    publish(home, replace(ACTIVE, every_days=2))
    page = visitor.open("/overview")
    expect(page.locator("[data-testid=stMetric]")).to_have_count(len(CARDS))
    for metric in CARDS:
        expect(page.locator(f".st-key-card-{metric}")).to_contain_text(f"{LAST_MONTH:%b %Y}")
    expect(page.locator(".js-plotly-plot")).to_have_count(4)
    expect(page.locator(".barlayer path").first).to_be_attached()
    expect(page.get_by_text("Demo data")).to_have_count(0)


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

    shared = page.url.removeprefix(visitor.server)
    visitor.leave()
    other = visitor.open(shared)
    for label, value in (("By", "Quarter"), ("Period", "All"), ("Service", "Team: Commerce")):
        expect(other.get_by_role("combobox", name=label, exact=True)).to_have_value(value)
    expect(other.locator(".st-key-card-change_lead_time")).to_contain_text(re.compile(r"Q\d 20"))


def test_a_parent_team_has_what_the_teams_below_it_have(home: Home, visitor: Visitor) -> None:
    publish(home, MANY)
    page = visitor.open("/overview?service=Team%3A+Commerce&period=All")
    counted = page.get_by_text(re.compile(r"^\d+ deployments in "))
    above = counted.inner_text()
    choose(page, visitor, "Service", "Team: Payments")
    expect(page.get_by_role("combobox", name="Service", exact=True)).to_have_value("Team: Payments")
    assert counted.inner_text() == above


@pytest.mark.parametrize(
    "query",
    [
        "period=Custom&since=0000-99-99&until=2999-01-01",
        "period=Custom&since=2026-10-01&until=2026-09-01&at=nothing",
        "grain=&period=&period=All&service=" + "x" * 5000,
    ],
)
def test_garbage_in_the_url_is_harmless(home: Home, visitor: Visitor, query: str) -> None:
    publish(home, ACTIVE)
    page = visitor.open(f"/lead-time?{query}")
    expect(page.get_by_role("heading", name="Pr pickup")).to_be_visible()


def test_a_bar_opens_what_is_behind_it(home: Home, visitor: Visitor) -> None:
    publish(home, ACTIVE)
    page = visitor.open("/overview")
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


def test_a_definition_and_dora_s_answers_stand_by_their_figure(home: Home, visitor: Visitor) -> None:
    publish(home, ACTIVE)
    page = visitor.open("/overview")
    page.locator(".st-key-card-change_fail_rate").get_by_role("button", name="Definition").click()
    cited = "19 % ± 21 points (DORA Quick Check, all industries, 2025, CC BY 4.0). A mean of what people"
    expect(page.get_by_text(cited)).to_be_visible()
    page.keyboard.press("Escape")
    page.locator(".st-key-card-change_lead_time").get_by_role("button", name="Definition").click()
    expect(page.get_by_text("5.5 ± 2.4 on a scale from 0 to 10")).to_be_visible()
    expect(page.get_by_text("Median time from writing to deployment.")).to_be_visible()
    expect(page.get_by_text("Woodruff")).to_be_visible()


def test_a_fault_s_rule_evidence_and_links_are_listed(home: Home, visitor: Visitor) -> None:
    publish(home, MANY)
    page = visitor.open("/stability?period=All")
    counted = page.get_by_text(re.compile(r"^\d+ of \d+ faults not recovered from"))
    number = counted.inner_text().split()[2]
    expect(page.get_by_text(re.compile(f"^{number} faults in "))).to_be_visible()
    with page.expect_download() as downloading:
        page.get_by_role("button", name="Download CSV").first.click()
    rows = list(csv.DictReader(io.StringIO(Path(downloading.value.path()).read_text())))
    assert len(rows) == int(number)
    assert {row["evidence"] for row in rows} == {"incident, rollback"}
    assert all(row["rule"] and row["evidence_url"].startswith("https://") for row in rows)
    page.get_by_role("tab", name="Unattributed incidents").click()
    expect(page.get_by_text(re.compile(r"^\d+ unattributed incidents in "))).to_be_visible()


def test_stages_are_chosen_in_the_url(home: Home, visitor: Visitor) -> None:
    publish(home, ACTIVE)
    page = visitor.open("/lead-time?stage=Review&clock=Working+days")
    expect(page.get_by_role("heading", name="Pr review working")).to_be_visible()
    page.get_by_role("radio", name="Coding").click()
    visitor.settle(page)
    expect(page.get_by_role("heading", name="Pr coding working")).to_be_visible()
    assert "stage=Coding" in page.url


def test_what_could_not_be_matched_is_said_with_its_share(home: Home, visitor: Visitor) -> None:
    publish(home, replace(ACTIVE, last_on=date(2000, 1, 1)))
    page = visitor.open("/data-health")
    expect(page.get_by_role("heading", name="Repository without service")).to_be_visible()
    expect(page.get_by_text("Affects 3 % of deployments: 12 of 400.")).to_be_visible()
    expect(page.get_by_role("heading", name="Service without owner")).to_have_count(0)


def test_a_new_snapshot_is_picked_up(home: Home, visitor: Visitor) -> None:
    publish(home, ACTIVE)
    page = visitor.open("/")
    expect(page.get_by_text("Demo data")).to_have_count(0)
    publish(home, replace(ACTIVE, is_demo=True))
    choose(page, visitor, "By", "Week")
    expect(page.get_by_text("Demo data")).to_be_visible()


def test_the_first_page_waits_for_the_first_sync(home: Home, visitor: Visitor) -> None:
    (home.published / "CURRENT").unlink(missing_ok=True)
    page = look.watched(visitor, "/overview")
    expect(page.get_by_text("Nothing has been read yet")).to_be_visible()
    expect(page.get_by_text("cairn sync")).to_be_visible()
    status.begin(home, NOW)
    expect(page.get_by_text("Reading your history")).to_be_visible(timeout=15_000)
    publish(home, ACTIVE)
    expect(page.locator("[data-testid=stMetric]")).to_have_count(len(CARDS), timeout=15_000)
    expect(page.get_by_text("A sync is under way")).to_be_visible()
    assert [*look.faults(page)] == []


def test_no_deployments_says_what_was_read_and_what_to_change(home: Home, visitor: Visitor) -> None:
    publish(home, replace(ACTIVE, last_on=date(2000, 1, 1)))
    page = look.watched(visitor, "/overview")
    expect(page.get_by_text("2,400 commits and 120 tags were read from 1 repository")).to_be_visible()
    expect(page.get_by_text(snapshot.RELEASES)).to_be_visible()
    expect(page.get_by_text("releases: ")).to_be_visible()
    assert [*look.faults(page)] == []


def test_trouble_is_said_above_the_figures(home: Home, visitor: Visitor) -> None:
    publish(home, replace(ACTIVE, covered_until=NOW - timedelta(days=3), is_demo=True))
    problem = SourceProblem(scope="/srv/git/*.git", message="not a *git* repository", mend="check the path")
    failed = SourceStatus(
        kind="git", attempted_at=NOW, succeeded_at=NOW - timedelta(days=3), problems=[problem]
    )
    status.write(home, Status(sources={"main": failed}))
    page = look.watched(visitor, "/lead-time")
    expect(page.get_by_text("This data is 3 days old")).to_be_visible()
    expect(page.get_by_text("/srv/git/*.git: not a *git* repository — check the path")).to_be_visible()
    expect(page.get_by_text("Demo data")).to_be_visible()
    expect(page.locator(".js-plotly-plot")).to_have_count(4)
    assert [*look.faults(page)] == []


def test_an_old_history_opens_on_its_last_year(home: Home, visitor: Visitor) -> None:
    publish(home, replace(ACTIVE, first_on=date(2018, 1, 8), last_on=date(2021, 5, 20)))
    page = visitor.open("/overview")
    expect(page.get_by_text("1 Jun 2020 – 31 May 2021", exact=True)).to_be_visible()
    expect(page.get_by_text("periods count back from there")).to_be_visible()


def test_an_unreadable_snapshot_says_what_to_do(home: Home, visitor: Visitor) -> None:
    (home.published / "broken.duckdb").write_bytes(b"not a database")
    (home.published / "CURRENT").write_text("broken")
    page = look.watched(visitor, "/overview")
    expect(page.get_by_text("The figures cannot be read")).to_be_visible()
    expect(page.get_by_text("cairn sync", exact=True).first).to_be_visible()
    assert [*look.faults(page)] == []
