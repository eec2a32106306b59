"""A page as it is seen: by axe, on a phone and on a desk, and what of it may not be there at all."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from axe_playwright_python.base import AXE_FILE_PATH
from playwright.sync_api import Error, Page, expect

from dashboards.site import PAGES
from tests.dashboards.conftest import Visitor

SCHEMES: dict[int, Literal["dark", "light"]] = {390: "dark", 1440: "light"}
"""Width → colours in which a page is seen."""
RULES = {
    390: ["color-contrast", "scrollable-region-focusable", "target-size"],
    1440: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
}
"""By width: all of them once, and on a phone in the dark those that see a difference there."""
_STILL = "*, *::before { transition: none !important; animation: none !important; }"
"""What fades in has less contrast while it does."""
_AXE = "([context, rules]) => axe.run(context, {runOnly: rules, resultTypes: ['violations']})"
_SIDEBAR = "[data-testid=stSidebar]"
_FITS = "width => document.querySelector('[data-testid=stMain]').scrollWidth <= width"
_DRAWN = """() => [...document.querySelectorAll('[data-testid=stPlotlyChart]')]
    .every(chart => chart.querySelector('.main-svg'))
    && !document.querySelector('[data-testid=stSkeleton], [data-stale=true]')"""


def watched(visitor: Visitor, path: str) -> Page:
    """A page on a desk by day, with axe at hand."""
    page = visitor.open(path)
    page.evaluate(AXE_FILE_PATH.read_text())
    page.add_style_tag(content=_STILL)
    return page


def settle(visitor: Visitor, page: Page) -> None:
    """Wait until all is drawn, charts as well."""
    visitor.settle(page)
    page.wait_for_function(_DRAWN)


def faults(page: Page, *, with_sidebar: bool = False) -> Iterator[str]:
    """What is wrong with a page as it stands, by day and at night; it is left as it was seen last.

    The sidebar, a third of what axe has to look at, is the same on all pages.
    """
    context = {"include": ["html"], "exclude": [] if with_sidebar else [_SIDEBAR]}
    here = page.viewport_size
    assert here
    for width in sorted(SCHEMES, key=lambda width: width != here["width"]):
        scheme = SCHEMES[width]
        if width != here["width"]:
            page.set_viewport_size({"width": width, "height": 1000})
            page.emulate_media(color_scheme=scheme)
            page.wait_for_timeout(300)
            page.wait_for_function(_DRAWN)
        try:
            # Charts take their time to fit.
            page.wait_for_function(_FITS, arg=width, timeout=10_000)
        except Error:
            yield f"{width}, {scheme}: too wide"
        for each in page.evaluate(_AXE, [context, RULES[width]])["violations"]:
            for node in each["nodes"]:
                yield f"{width}, {scheme}: {each['id']}: {node['html']}"


def walk(visitor: Visitor, page: Page) -> Iterator[str]:
    """Go through every page by its link, and give its title when it is drawn."""
    for each in PAGES:
        link = page.locator(_SIDEBAR).locator("a").filter(has=page.get_by_text(each.title, exact=True))
        link.dispatch_event("click")  # on a phone it is out of sight
        expect(page).to_have_title(f"{each.title} · Cairn")
        expect(page.get_by_role("heading", level=1)).to_have_text(re.compile(f"^{re.escape(each.title)}"))
        settle(visitor, page)
        yield each.title
