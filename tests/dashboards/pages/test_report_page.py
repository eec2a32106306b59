"""The page Report in a real browser: the period in the URL, and what can be taken along."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from pypdf import PdfReader

from pipelines.home import Home
from tests.dashboards import report_tables
from tests.dashboards.conftest import Visitor
from tests.dashboards.report_tables import figure

pytestmark = pytest.mark.browser


def downloaded(page: Page, name: str) -> tuple[str, bytes]:
    with page.expect_download() as downloading:
        page.get_by_role("button", name=name, exact=True).click()
    return downloading.value.suggested_filename, Path(downloading.value.path()).read_bytes()


def test_a_report_is_read_shared_and_taken_along(
    home: Home, visitor: Visitor, note: Callable[[date, str], None]
) -> None:
    note(date(2026, 3, 2), "Reorganised *at last*")
    amend = figure("change_lead_time", 72_000, 68_400, 75_600) + "update marts.workspace set is_demo = true;"
    report_tables.publish(home, "read", amend)
    page = visitor.open("/report?report-month=Sep+2026")
    nothing = page.get_by_text("Nothing changed detectably, in delivery, adoption or surveys.")
    expect(nothing).to_be_visible()
    page.get_by_role("combobox", name="Period", exact=True).click()
    page.get_by_role("option", name="Oct 2026", exact=True).click()
    expect(page.get_by_text("Change lead time: 10 h → 20 h", exact=True)).to_be_visible()
    expect(page.locator(".js-plotly-plot")).to_have_count(5)
    expect(page.get_by_text("; star: 2 Mar 2026: Reorganised *at last*.")).to_be_visible()
    expect(page.locator(".js-plotly-plot").filter(has_text="Annotation")).to_have_count(5)
    expect(page.locator("[aria-label$=' by month; 2 Mar 2026: Reorganised *at last*']")).to_have_count(5)
    name, pdf = downloaded(page, "PDF")
    assert name == "cairn-report-2026-10.pdf"
    text = " ".join(PdfReader(io.BytesIO(pdf)).pages[0].extract_text().split())
    assert "Change lead time: 10 h → 20 h" in text
    assert "Demo data" in text
    assert "star: 2 Mar 2026: Reorganised *at last*." in text
    assert b"Change lead time: 10 h \xe2\x86\x92 20 h" in downloaded(page, "HTML")[1]
    assert downloaded(page, "Markdown")[1].startswith(b"# Software delivery, Oct 2026\n")
