"""The page CI: what waiting cost, and of which changes."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from playwright.sync_api import expect

from pipelines.home import Home
from tests.dashboards import look, snapshot
from tests.dashboards.conftest import Visitor
from tests.dashboards.pages.test_browser import ACTIVE

pytestmark = pytest.mark.browser


def test_what_waiting_cost_is_said_and_a_change_of_level_is_marked(home: Home, visitor: Visitor) -> None:
    snapshot.publish(home, ACTIVE, "ci-waits")
    page = visitor.open("/ci")
    cost = page.locator(".st-key-ci-cost")
    expect(cost).to_contain_text(re.compile(r"[\d,.]+ h in which \d+ merged changes waited"))
    expect(cost).to_contain_text(re.compile(r"[\d.]+ % of the time from opened to merged"))
    expect(cost).to_contain_text(re.compile(r"[\d.]+ h of it in a queue, .* Known of \d+ changes"))
    expect(cost).to_contain_text(re.compile(r"[\d.]+ h of it for re-runs"))
    expect(cost).to_contain_text(re.compile(r"Left out: \d+ made by a bot"))
    expect(page.get_by_role("heading", name="Changes that waited longest")).to_be_visible()
    expect(page.get_by_text("the first 20 of them shown")).to_be_visible()
    level = re.compile(r"Level changed from the week of .* 8.3 min → 15 min .* PELT")
    expect(page.get_by_text(level)).to_be_visible()
    expect(page.locator(".js-plotly-plot").first).to_contain_text("Change of level")


def test_without_a_run_no_hours_are_made_up(home: Home, visitor: Visitor) -> None:
    snapshot.publish(home, replace(ACTIVE, has_runs=False), "ci-none")
    page = look.watched(visitor, "/ci")
    expect(page.get_by_text("shop has no CI run in")).to_be_visible()
    expect(page.get_by_text("No data").first).to_be_visible()
    cost = page.locator(".st-key-ci-cost")
    expect(cost).to_contain_text("Of no change merged in this time is it known how long it waited for CI.")
    expect(cost).to_contain_text("no CI run was found for")
    expect(page.get_by_role("heading", name="Changes that waited longest")).to_have_count(0)
    assert [*look.faults(page)] == []
