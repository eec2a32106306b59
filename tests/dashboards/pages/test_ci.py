"""The page CI: what waiting cost, and of which changes."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from playwright.sync_api import expect

from pipelines.home import Home
from tests.dashboards import snapshot
from tests.dashboards.conftest import Visitor
from tests.dashboards.pages.test_browser import ACTIVE

pytestmark = pytest.mark.browser


def test_what_waiting_cost_is_said_in_hours_and_listed(home: Home, visitor: Visitor) -> None:
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


def test_without_a_run_no_hours_are_made_up(home: Home, visitor: Visitor) -> None:
    snapshot.publish(home, replace(ACTIVE, has_runs=False), "ci-none")
    page = visitor.open("/ci")
    cost = page.locator(".st-key-ci-cost")
    expect(cost).to_contain_text("Of no change merged in this time is it known how long it waited for CI.")
    expect(cost).to_contain_text("no CI run was found for")
    expect(page.get_by_role("heading", name="Changes that waited longest")).to_have_count(0)
