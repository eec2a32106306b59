"""The survey form in a real browser: by keyboard, without scripts, on a phone, and as axe sees it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest
from axe_playwright_python.base import AXE_FILE_PATH
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect

from surveys.store import NewAction
from tests.dashboards import look
from tests.dashboards.form_client import Form, served
from tests.surveys.pulse import WAVE

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def form(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Form]:
    with served(tmp_path_factory.mktemp("form"), organisation="Acme", timezone="Europe/Berlin") as form:
        said, did = "Checks take so long that I start something else.", "Twice the runners: six minutes now."
        form.wave.store.add_action(
            NewAction(WAVE.id, "Checks", said, did, "done", date(2026, 1, 2), "https://acme.example/checks")
        )
        yield form


@pytest.fixture
def link(form: Form, token: str) -> str:
    return f"{form.url}/pulse/{token}"


@contextmanager
def visit(browser: Browser, **options: object) -> Iterator[Page]:
    """A page on which nothing may go wrong, and nothing else may be asked for."""
    context = browser.new_context(**options)  # type: ignore[arg-type]
    faults: list[str] = []
    page = context.new_page()

    def said(message: ConsoleMessage) -> None:
        if "status of" not in message.text:  # 404 and 422 are what the page is about
            faults.append(message.text)

    def asked(request: Request) -> None:
        if not request.is_navigation_request() and not request.url.startswith("data:"):
            faults.append(request.url)

    page.on("console", said)
    page.on("request", asked)
    yield page
    context.close()
    assert faults == []


def press(page: Page, keys: str) -> None:
    for key in keys.split():
        page.keyboard.press(key)


def test_a_phone_and_the_keyboard_alone_are_enough(browser: Browser, form: Form, link: str) -> None:
    phone = {"width": 390, "height": 844}
    with visit(
        browser, viewport=phone, java_script_enabled=False, color_scheme="dark", locale="en-GB"
    ) as page:
        page.goto(link)
        press(page, "Tab Tab Enter")  # past the other language
        expect(page.get_by_role("heading", name="Getting changes out")).to_be_visible()
        press(page, "Tab Tab Space ArrowDown ArrowDown ArrowDown")
        expect(
            page.get_by_role("group").first.get_by_role("radio", name="Satisfied", exact=True)
        ).to_be_checked()
        # Enter goes on: it does not press the language, which comes first.
        press(page, "Enter")
        expect(page.get_by_text("Page 2 of 5")).to_be_visible()
        for number in (3, 4, 5):
            page.get_by_role("button", name="Continue").focus()
            press(page, "Enter")
            expect(page.get_by_text(f"Page {number} of 5")).to_be_visible()
        page.get_by_role("textbox").focus()
        page.keyboard.type("Fewer meetings\n🗿")
        press(page, "Tab Enter")
        expect(page.get_by_role("heading", name="Thank you. Your stone is on the cairn.")).to_be_visible()
        expect(page.get_by_text("Twice the runners: six minutes now.")).to_be_visible()
        page.goto(link)
        expect(page.get_by_role("heading", name="This link cannot be used")).to_be_visible()


def test_what_was_typed_survives_pages_languages_and_another_day(browser: Browser, link: str) -> None:
    with visit(browser, java_script_enabled=False, locale="de-DE") as page:
        page.goto(f"{link}?page=5")
        page.get_by_role("textbox").fill("\nمرحبا بالعالم <b>&amp;</b>")
        page.get_by_role("button", name="English").click()
        expect(page.locator("html")).to_have_attribute("lang", "en")
        expect(page.get_by_role("textbox")).to_have_value("مرحبا بالعالم <b>&amp;</b>")
        page.get_by_role("button", name="Who sees this?").click()
        expect(page.get_by_role("heading", name="Who sees what")).to_be_visible()
    with visit(browser, java_script_enabled=False, locale="de-DE") as page:
        page.goto(link)
        expect(page.get_by_text("Bisher hast du 1 beantwortet.")).to_be_visible()
        page.goto(f"{link}?page=5")
        expect(page.get_by_role("textbox")).to_have_value("مرحبا بالعالم <b>&amp;</b>")


def test_a_mistake_takes_the_focus_and_leads_to_its_field(browser: Browser, link: str) -> None:
    with visit(browser, locale="en-GB") as page:
        page.goto(f"{link}?page=5")
        page.get_by_role("textbox").fill("x" * 50_000)
        page.get_by_role("button", name="Send my answers").click()
        expect(page.get_by_role("alert")).to_be_focused()
        expect(page).to_have_title("Error: Last words (5/5) · Cairn")
        page.get_by_role("link", name="What to improve: This text has 50000 characters.").click()
        expect(page.get_by_role("textbox")).to_be_focused()
        expect(page.get_by_role("textbox")).to_have_value("x" * 50_000)
        expect(page.get_by_role("textbox")).to_have_accessible_description(
            "Up to 4000 characters. Please name no one, neither yourself nor others. "
            "This text has 50000 characters. Please shorten it to 4000."
        )


def test_end_points_are_named_where_they_are_not_written(browser: Browser, link: str) -> None:
    with visit(browser, locale="en-GB") as page:
        page.goto(f"{link}?page=4")
        question = page.get_by_role("group", name="The internal platform does what my work needs it to do.")
        labels = "all => all.map(e => e.labels[0].textContent.trim())"
        names = question.get_by_role("radio").evaluate_all(labels)
        assert names == [
            "1 Strongly disagree", "2", "3", "4", "5", "6", "7 Strongly agree", "Don't know, or doesn't apply"
        ]  # fmt: skip


@pytest.mark.parametrize("width", [1440, 390])
def test_axe_finds_no_violation(browser: Browser, link: str, width: int, shot: Path | None) -> None:
    seen: list[str] = []
    # The policy would keep axe out, too.
    options = {"viewport": {"width": width, "height": 900}, "bypass_csp": True, "locale": "de-DE"}
    with visit(browser, **options, reduced_motion="reduce") as page:
        page.add_init_script(path=AXE_FILE_PATH)

        def check(name: str) -> None:
            # All rules once; on a phone and in dark, those that see a difference there.
            for scheme, rules in (("light", look.RULES[width]), ("dark", ["color-contrast"])):
                page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
                found = page.evaluate("rules => axe.run({runOnly: rules})", rules)
                seen.extend(
                    f"{name}, {scheme}: {each['id']}: {each['nodes'][0]['html']}"
                    for each in [*found["violations"], *found["incomplete"]]
                )
                if shot:
                    page.screenshot(path=shot / f"form-{name}-{width}-{scheme}.png", full_page=True)
            if page.evaluate("document.documentElement.scrollWidth") > width:
                seen.append(f"{name} is too wide")

        page.goto(link)
        check("welcome")
        page.goto(f"{link}?page=1")
        page.get_by_label("Eher zufrieden").check(force=True)
        check("choices")
        page.goto(f"{link}?page=4")
        page.locator("#item-platform-recommend-9").check(force=True)
        check("points")
        page.goto(f"{link}?page=5")
        page.get_by_role("textbox").fill("x" * 4001)
        page.get_by_role("button", name="Antworten absenden").click()
        check("mistake")
        page.get_by_role("textbox").fill("Ruhe")
        page.get_by_role("button", name="Speichern und später").click()
        check("saved")
        page.get_by_role("button", name="Antworten absenden").click()
        check("thanks")
        page.goto(link)
        check("closed")
    assert seen == []


def test_four_times_as_large_it_needs_no_sideways_scrolling(browser: Browser, link: str) -> None:
    # 1280 pixels at 400 %, as WCAG's Reflow has it.
    with visit(browser, viewport={"width": 320, "height": 256}, locale="de-DE") as page:
        for number in range(6):
            page.goto(f"{link}?page={number}")
            assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_nothing_moves_where_that_is_asked(browser: Browser, link: str) -> None:
    with visit(browser, reduced_motion="reduce") as page:
        page.goto(f"{link}?page=1")
        assert page.evaluate("document.getAnimations().length") == 0
        moving = page.evaluate("getComputedStyle(document.querySelector('.face')).transitionDuration")
        assert moving == "0s"
