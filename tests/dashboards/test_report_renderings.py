"""One content, three files: the same sentences in each, inert, complete in themselves."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pandas as pd
import pytest
from pypdf import PdfReader

from dashboards.report import charts, content, rendering
from dashboards.report.content import Report
from dashboards.report.findings import Finding
from dashboards.report.period import Period
from pipelines.annotating import Annotation
from pipelines.home import Home
from tests.dashboards import report_tables
from tests.dashboards.report_tables import PLAN, figure, level

HOSTILE = '<script>alert(1)</script> [x](javascript:alert(1)) #eval("1") & "Söhne" $x$'
NOW = datetime(2026, 11, 12, 12, tzinfo=UTC)
SVG = "{http://www.w3.org/2000/svg}"
NONE = pd.DataFrame(columns=["date", "text"])
NOTED = ["2 Mar 2026: Reorganised", "2 Mar 2026: Moved", f"12 Oct 2026: Freeze {HOSTILE}"]
TOLD = " ".join(f"{each}." for each in NOTED)
"""At the end of what is said of a chart to those who do not see it."""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """October of an organisation with a name to be wary of, and demo data that is months old."""
    amend = (
        figure("change_lead_time", 72_000, 68_400, 75_600)
        + level("change_lead_time", "2026-05-04", 1, 1)
        + "update marts.change_fail_rate set value = null, low = null, high = null, n = 0, status = 'no_data'"
        " where level = 'organisation' and period_start in (date '2026-04-01', date '2026-10-01');"
        "update marts.metric_definition set title = title || ' <b>bold</b>' where metric = 'rework_rate';"
    )
    plan = replace(PLAN, organisation=HOSTILE, is_demo=True)
    home = Home(tmp_path_factory.mktemp("report"))
    source = report_tables.publish(home, "rendered", amend, plan)
    period = Period("month", date(2026, 10, 1), date(2026, 11, 1))
    freeze = Annotation(
        id="1",
        date=date(2026, 10, 12),
        text=f"Freeze {HOSTILE}",
        level="organisation",
        key=None,
        origin="added",
    )
    of_a_team = freeze.model_copy(update={"text": "Reorganisation", "level": "team", "key": "Payments"})
    later = freeze.model_copy(update={"text": "Next year", "date": date(2026, 11, 1)})
    charted = freeze.model_copy(update={"text": "Reorganised", "date": date(2026, 3, 2)})
    # Two of one day, and one from before the charts begin.
    also = charted.model_copy(update={"text": "Moved"})
    before = charted.model_copy(update={"text": "Long ago", "date": date(2025, 9, 30)})
    read_until = datetime(2026, 11, 1, tzinfo=UTC)
    known = [before, charted, also, freeze, of_a_team, later]
    return content.build(source, period, read_until, NOW, known)


class Page(HTMLParser):
    """What a browser would see: text, elements, and what they would fetch."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.elements: list[str] = []
        self.fetched: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.fetched += [value or "" for name, value in attrs if name in {"src", "href", "srcset", "data"}]

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def sentences(report: Report) -> list[str]:
    """What every rendering has to say."""
    figures = [said for each in report.figures for said in (each.title, each.value, each.change)]
    findings = [said for each in report.findings for said in (each.headline, each.detail)]
    assert report.happened == (f"12 Oct 2026: Freeze {HOSTILE}",)
    said = (*report.warnings, *report.happened, *report.caveats)
    assert report.legend.endswith(f"; star: {'; '.join(NOTED)}.")
    return [report.title, report.summary, report.legend, *said, *figures, *findings]


def test_html_says_all_and_fetches_nothing(report: Report) -> None:
    page = Page(rendering.html(report))
    assert [each for each in [*sentences(report), HOSTILE, report.read_until] if each not in page.text] == []
    assert page.fetched == []
    assert not {"script", "link", "iframe", "object", "b>"} & {*page.elements}
    assert page.elements.count("svg") == 5
    assert page.text.count(TOLD) == 5
    assert "Demo data" in page.text


def test_markdown_says_all_and_holds_its_images(report: Report) -> None:
    told = rendering.markdown(report)
    plain = " ".join(re.sub(r"\\(.)", r"\1", told).split())
    assert [each for each in [*sentences(report), HOSTILE] if each not in plain] == []
    images = re.findall(r"!\[(?:\\.|[^\]\\])*\]\(data:image/svg\+xml;base64,([^)]+)\)", told)
    assert len(images) == 5
    assert plain.count(f"{TOLD}](data:") == 5
    for image in images:
        assert ET.fromstring(base64.b64decode(image)).tag == f"{SVG}svg"
    # Markup from outside is escaped, each character of it.
    assert not re.search(r"(?<!\\)<", told)
    assert not re.search(r"(?<!\\)\]\((?!data:)", told)


def test_markdown_s_images_may_be_files_beside_it(report: Report) -> None:
    told = rendering.markdown(report, lambda each, svg: each.metric if svg.startswith("<svg ") else "")
    assert re.findall(r"\]\((\w+)\)", told) == [each.metric for each in report.figures]


def read(pdf: bytes) -> tuple[PdfReader, str]:
    """The document, and its text without the breaks of lines and words."""
    document = PdfReader(io.BytesIO(pdf))
    text = "\n".join(page.extract_text() for page in document.pages)
    return document, re.sub(r"\s+", "", re.sub(r"[-\u00ad]\n", "", text))


def alternatives(node: Any) -> Iterator[str]:
    """What stands for images, in a PDF's tree of what it says."""
    node = node.get_object()
    if isinstance(node, dict):
        if "/Alt" in node:
            yield node["/Alt"]
        node = [node["/K"]] if "/K" in node else []
    for below in node if isinstance(node, list) else []:
        yield from alternatives(below)


def test_pdf_says_all_on_one_tagged_page_of_a4(report: Report) -> None:
    document, text = read(rendering.pdf(report))
    missing = [each for each in [*sentences(report), HOSTILE] if re.sub(r"\s+", "", each) not in text]
    assert missing == []
    assert len(document.pages) == 1
    assert [round(float(side)) for side in document.pages[0].mediabox[2:]] == [595, 842]
    root: Any = document.root_object
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "en"
    assert "pdfuaid:part" in root["/Metadata"].get_data().decode()
    assert HOSTILE in str(document.metadata and document.metadata.title)
    assert sum(alt.endswith(TOLD) for alt in alternatives(root["/StructTreeRoot"])) == 5
    assert not {"/OpenAction", "/AA", "/Names"} & root.keys()


def test_much_to_say_is_still_one_page(report: Report) -> None:
    long = "Everything that anybody could ever want to know about " * 2
    finding = Finding("Survey", "x", f"{long}: 10 % → 20 %", long * 2, None, 1)
    full = replace(
        report,
        findings=(finding,) * 3,
        further=(long,) * 3,
        warnings=(long,) * 2,
        figures=tuple(replace(each, notes=(long,)) for each in report.figures),
    )
    document, text = read(rendering.pdf(full))
    assert len(document.pages) == 1
    assert text.count(re.sub(r"\s+", "", f"{long}: 10 % → 20 %")) == 3


def test_the_same_report_is_the_same_file(report: Report) -> None:
    assert rendering.pdf(report) == rendering.pdf(report)


def test_a_chart_leaves_gaps_where_nothing_is_known(report: Report) -> None:
    failing = next(each for each in report.figures if each.metric == "change_fail_rate")
    drawn = ET.fromstring(charts.svg(failing.trend, failing.changes, NONE, "month", 'a "title" <x>'))
    assert drawn.findtext(f"{SVG}title") == 'a "title" <x>'
    assert len(drawn.findall(f"{SVG}circle")) == 11
    lines = [each for each in drawn.findall(f"{SVG}path") if each.get("stroke-linejoin")]
    assert len(lines) == 2
    assert charts.described(failing.trend, NONE, "month").startswith("Oct 2025 to Oct 2026: lowest 10 % ")


def test_a_chart_marks_new_levels_and_what_is_not_whole(report: Report) -> None:
    lead = report.figures[1]
    partial = lead.trend.assign(partial=lead.trend.index == 12)
    drawn = ET.fromstring(charts.svg(partial, lead.changes, NONE, "month", "x"))
    assert [each.get("fill") for each in drawn.findall(f"{SVG}circle")].count("none") == 1
    assert len([each for each in drawn.findall(f"{SVG}path") if each.get("stroke-dasharray")]) == 1
    nothing = lead.trend.assign(value=None, low=None, high=None)
    for trend in (nothing, lead.trend.assign(value=0.0, low=0.0, high=0.0)):
        for unit in ("seconds", "ratio", "per_week"):
            svg = charts.svg(trend.assign(unit=unit), pd.DataFrame({"period_start": []}), NONE, "month", "x")
            assert "nan" not in svg
    assert charts.described(nothing, NONE, "month") == "Oct 2025 to Oct 2026: no data."


def test_a_chart_stars_each_day_of_which_something_is_noted(report: Report) -> None:
    lead = report.figures[1]
    drawn = ET.fromstring(charts.svg(lead.trend, lead.changes, lead.noted, "month", "x"))
    stars = drawn.findall(f"{SVG}g")
    assert [each.findtext(f"{SVG}title") for each in stars] == ["; ".join(NOTED[:2]), NOTED[2]]
    first, second = (float(each.findall(f"{SVG}path")[0].attrib["d"][1:].split()[0]) for each in stars)
    # Of the 396 days from 1 Oct 2025 on, which lie between 62 and 354.
    assert [first, second] == pytest.approx([62 + 292 * 152 / 396, 354 - 292 * 20 / 396], abs=0.1)
    assert not ET.fromstring(charts.svg(lead.trend, lead.changes, NONE, "month", "x")).findall(f"{SVG}g")


def test_of_many_notes_the_latest_are_named_and_the_others_counted(report: Report) -> None:
    lead = report.figures[0]
    noted = pd.DataFrame(
        {"date": pd.date_range("2026-09-01", periods=40), "text": [f"no. {n}" for n in range(40)]}
    )
    told = replace(report, figures=(replace(lead, noted=noted),)).legend
    assert "; star: 28 earlier; 29 Sep 2026: no. 28; " in told
    assert told.endswith("; 10 Oct 2026: no. 39.")
    assert replace(report, figures=(replace(lead, noted=NONE),)).legend.endswith(" of the weekly figures.")


def test_no_team_and_no_service_is_in_it(report: Report, tmp_path: Path) -> None:
    told = rendering.html(report) + rendering.markdown(report) + rendering.digest(report, None)[0]
    assert not re.search(r"Payments|service-\d", told)


def test_the_digest_is_escaped_in_html_and_plain_in_text(report: Report) -> None:
    text, html = rendering.digest(report, "https://cairn.acme.example/report?a=1&b=2")
    page = Page(html)
    assert page.fetched == ["https://cairn.acme.example/report?a=1&b=2"]
    assert not {"script", "b>"} & {*page.elements}
    for told in (text, page.text):
        said = " ".join(told.split())
        wanted = [HOSTILE, report.summary, *report.warnings, *report.happened]
        assert [each for each in wanted if each not in said] == []
        assert report.findings[0].headline in said
        assert all(each.value in said for each in report.figures)
