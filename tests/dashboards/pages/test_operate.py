"""The way through Compare, Data health and Annotations in a browser."""

from __future__ import annotations

import csv
import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from pipelines import annotating, dagster_pages, status
from pipelines.home import Home
from pipelines.status import SourceProblem, SourceStatus, Status, SyncRun
from tests.dashboards import snapshot
from tests.dashboards.conftest import Visitor
from tests.dashboards.pages.test_browser import choose
from tests.dashboards.snapshot import Plan

pytestmark = pytest.mark.browser

SERVICES = ("shop", "till", "maps", "feed", "mail", "pay", "cart", "web")
NOW = datetime.now(UTC)
PLAN = Plan(
    services=dict.fromkeys(SERVICES, "Web"),
    every_days=7,
    last_on=(NOW - timedelta(days=2)).date(),
    first_on=(NOW - timedelta(days=460)).date(),
    covered_until=NOW,
)
HOSTILE = "=1+1 <img src=x onerror=alert(1)> [x](javascript:alert(1))"


@pytest.fixture(scope="module", autouse=True)
def _published(home: Home) -> None:
    snapshot.publish(home, PLAN, "operate")
    failed = SourceProblem(scope="jobs", message="*refused*", mend="give the token more")
    status.write(
        home,
        Status(
            sources={
                "git": SourceStatus(kind="git", attempted_at=NOW, succeeded_at=NOW),
                "ci": SourceStatus(
                    kind="jenkins", attempted_at=NOW, succeeded_at=NOW - timedelta(days=3), problems=[failed]
                ),
            },
            runs=[SyncRun(run_id="abc", began_at=NOW, ended_at=NOW, result="incomplete", said="Not read")],
        ),
    )


def downloaded(page: Page, which: int = 0) -> list[dict[str, str]]:
    """Rows of one of the page's CSV files."""
    with page.expect_download() as download:
        page.get_by_role("button", name="Download CSV").nth(which).click()
    return [*csv.DictReader(Path(download.value.path()).read_text().splitlines())]


def test_compare_says_what_changed_and_where_a_service_stands(visitor: Visitor) -> None:
    page = visitor.open("/compare?service=shop&grain=Quarter&with=A+year+before")
    expect(page.get_by_text(re.compile("differs? detectably|No detectable difference")).first).to_be_visible()
    expect(page.locator("[data-testid=stMetric]")).to_have_count(9)
    rows = downloaded(page)
    assert len(rows) == 9
    assert {row["is_detectable"] for row in rows} <= {"True", "False", ""}
    expect(page.get_by_text(re.compile("of its 7 peers")).first).to_be_visible()
    drawn = page.locator(".js-plotly-plot").first
    expect(drawn).to_contain_text("This service")
    for other in SERVICES[1:]:
        expect(drawn).not_to_contain_text(other)
    page.get_by_role("button", name="How this is decided").click()
    expect(page.get_by_text("That two intervals overlap decides nothing.")).to_be_visible()
    page.keyboard.press("Escape")
    choose(page, visitor, "Service", "Team: Web")
    expect(page.get_by_text("Teams are compared with their own past alone.")).to_be_visible()
    expect(page.locator(".js-plotly-plot")).to_have_count(0)
    assert "with=A+year+before" in page.url


def test_data_health_says_first_whether_the_figures_can_be_trusted(home: Home, visitor: Visitor) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        pass
    dagster_pages.announce(home, "http://127.0.0.1:3000", ended.pid)
    page = visitor.open("/data-health")
    first = page.locator("[data-testid=stAlert]").filter(has_text="Not today:")
    expect(first).to_contain_text("ci was last read completely 3 days ago.")
    assert [(row["source"], row["state"], row["mend"]) for row in downloaded(page)] == [
        ("git", "Fresh", ""), ("ci", "Stale", "give the token more")
    ]  # fmt: skip
    assert downloaded(page, 1)[0]["url"] == ""
    dagster_pages.announce(home, "http://127.0.0.1:3000", os.getpid())
    page.reload()
    visitor.settle(page)
    assert downloaded(page, 1)[0]["url"] == "http://127.0.0.1:3000/runs/abc"


def test_an_annotation_is_added_seen_where_it_is_about_and_removed(home: Home, visitor: Visitor) -> None:
    page = visitor.open("/annotations")
    text = page.get_by_label("What happened", exact=True)
    text.fill("ask jo@acme.example")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_text("Name a team or a role, not a person")).to_be_visible()
    text.fill(HOSTILE)
    page.get_by_role("combobox", name="About").click()
    page.get_by_role("option", name="Service: shop", exact=True).click()
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_text("1 annotation", exact=True)).to_be_visible()
    (added,) = annotating.read(home)
    assert (added.text, added.level, added.key) == (HOSTILE, "service", "shop")
    assert downloaded(page)[0]["text"] == f"'{HOSTILE}"
    trend = visitor.open("/work?service=shop")
    expect(trend.locator(f"[aria-label*='{HOSTILE[:20]}']").first).to_be_visible()
    expect(trend.locator(".js-plotly-plot").first).to_contain_text("Annotation")
    choose(trend, visitor, "Service", "till")
    expect(trend.locator(".js-plotly-plot").first).not_to_contain_text("Annotation")
    page.get_by_role("combobox", name="Annotation", exact=True).click()
    page.get_by_role("option").first.click()
    page.get_by_role("button", name="Remove", exact=True).click()
    expect(page.get_by_text("Nothing is marked yet.")).to_be_visible()
    assert annotating.read(home) == ()
