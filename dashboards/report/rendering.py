"""A report as HTML, PDF and Markdown, each complete in itself."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable

from dashboards.report import charts
from dashboards.report.content import RULE, Figure, Report
from dashboards.report.templates import FOLDER, TEMPLATES


def html(report: Report) -> str:
    """One file: charts within, no script, nothing asked for elsewhere; light, dark and for print."""
    charted = [(figure, _chart(report, figure)) for figure in report.figures]
    return TEMPLATES.get_template("report.html.jinja").render(report=report, charted=charted, rule=RULE)


def markdown(report: Report, place: Callable[[Figure, str], str] | None = None) -> str:
    """Markdown whose images are data; or where `place` puts a figure's SVG, which returns the address."""
    place = place or (lambda _figure, svg: f"data:image/svg+xml;base64,{b64encode(svg.encode()).decode()}")
    charted = [
        (figure, place(figure, _chart(report, figure)), _told(report, figure)) for figure in report.figures
    ]
    return TEMPLATES.get_template("report.md.jinja").render(report=report, charted=charted, rule=RULE)


def pdf(report: Report) -> bytes:
    """One page of A4, tagged for screen readers (PDF/UA-1)."""
    import typst

    told = vars(report) | {
        "title": report.title,
        "rule": RULE,
        "legend": report.legend,
        "findings": [vars(finding) for finding in report.findings],
        "figures": [
            {name: value for name, value in vars(figure).items() if isinstance(value, str | tuple)}
            | {"chart": _chart(report, figure), "told": _told(report, figure)}
            for figure in report.figures
        ],
    }
    return typst.compile(
        FOLDER / "report.typ",
        sys_inputs={"report": json.dumps(told, default=str)},
        pdf_standards=["ua-1"],
        timestamp=int(report.made_at.timestamp()),
    )


def digest(report: Report, link: str | None) -> tuple[str, str]:
    """The report in short, as text and as HTML; `link` leads to the page."""
    text, markup = (TEMPLATES.get_template(f"digest.{form}.jinja") for form in ("txt", "html"))
    return text.render(report=report, link=link), markup.render(report=report, link=link)


def file_name(report: Report, suffix: str) -> str:
    """`cairn-report-2026-10.pdf`."""
    return f"cairn-report-{report.period.name}.{suffix}"


def _chart(report: Report, figure: Figure) -> str:
    title = f"{figure.title} by {report.period.grain}"
    return charts.svg(figure.trend, figure.changes, figure.noted, report.period.grain, title)


def _told(report: Report, figure: Figure) -> str:
    return charts.described(figure.trend, figure.noted, report.period.grain)
