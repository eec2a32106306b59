"""Delivery › Report: a period on one page, to read here or to hand on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import partial

import streamlit as st

from dashboards import charts, figures, freshness, notes, queries, states, words
from dashboards.report import content, period, rendering
from dashboards.report.content import Figure, Report
from dashboards.report.period import Period
from dashboards.view import Cached
from pipelines.home import Home
from pipelines.status import read

_BACK = {"week": 26, "month": 24, "quarter": 8, "year": 5}
"""How many periods of each kind can be chosen."""
_VERDICTS = {
    None: "",
    True: ":green-badge[:material/thumb_up: Better]",
    False: ":orange-badge[:material/thumb_down: Worse]",
}


def show(source: Cached) -> None:
    """The period's choice, three downloads, and what these say."""
    covered = queries.covered_on(source)
    if covered is None or queries.extent(source) is None:
        states.no_deployments(source)
        return
    with st.container(horizontal=True, vertical_alignment="bottom", key="report-filters"):
        chosen = _choose(covered)
        now = datetime.now(UTC)
        read_until = freshness.read_until(source, read(Home.from_env()))
        report = content.build(source, chosen, read_until, now, notes.known())
        _downloads(report)
    for warning in report.warnings:
        st.warning(words.plain(warning), icon=":material/schedule:")
    st.markdown(f"**{words.plain(report.summary)}**")
    if report.happened:
        st.caption(words.plain(f"Noted in this time: {'; '.join(report.happened)}."))
    st.header("What changed detectably", anchor=False)
    _findings(report)
    st.header("The five figures of delivery", anchor=False)
    st.caption(words.plain(report.legend))
    for figure in report.figures:
        with st.container(border=True, key=f"report-{figure.metric}"):
            _figure(report, figure)
    with st.expander("What the figures mean, and how to read them", icon=":material/info:"):
        for figure in report.figures:
            st.markdown(f"**{words.plain(figure.title)}**  \n{words.plain(figure.definition)}")
        st.markdown(f"**What counts as changed**  \n{content.RULE}")
        for caveat in report.caveats:
            st.markdown(words.plain(caveat))


def _choose(covered: date) -> Period:
    """Draw the choice of a period; the last month that is over unless the URL names another."""
    grain = st.selectbox(
        "By", list(_BACK), 1, str.capitalize, key="report-by", bind="query-params", width=130
    )
    last = period.latest(covered, grain)
    # The one that is not over comes first in the list, and is not what a report begins with.
    options = {each.label: each for each in map(last.back, range(-1, _BACK[grain]))}
    label = st.selectbox("Period", list(options), 1, key=f"report-{grain}", bind="query-params", width=200)
    return options[label]


def _downloads(report: Report) -> None:
    makers: dict[str, tuple[Callable[[Report], str | bytes], str]] = {
        "PDF": (rendering.pdf, "application/pdf"),
        "HTML": (rendering.html, "text/html"),
        "Markdown": (rendering.markdown, "text/markdown"),
    }
    for name, (make, mime) in makers.items():
        st.download_button(
            name,
            partial(make, report),
            rendering.file_name(report, name.lower().replace("markdown", "md")),
            mime=mime,
            icon=":material/download:",
            key=f"report-{name}",
            on_click="ignore",
        )


def _findings(report: Report) -> None:
    if not report.findings:
        st.markdown("Nothing did, in delivery, adoption or surveys.")
        return
    for column, finding in zip(st.columns(len(report.findings)), report.findings, strict=True):
        with column.container(border=True, height="stretch"):
            st.markdown(f"{finding.area} {_VERDICTS[finding.is_better]}")
            st.markdown(f"**{words.plain(finding.headline)}**  \n{words.plain(finding.detail)}")
    if report.further:
        st.caption(words.plain(f"Also: {'; '.join(report.further)}."))


def _figure(report: Report, figure: Figure) -> None:
    left, right = st.columns([1, 2])
    with left:
        st.metric(figure.title, figure.value)
        st.caption("  \n".join(map(words.plain, filter(None, (figure.interval, figure.basis)))))
        st.markdown(words.plain(figure.change))
        also = [*figure.notes, *([f"{figure.industry}."] if figure.industry else [])]
        st.caption("  \n".join(map(words.plain, also)))
    with right:
        drawn = figures.line(figure.trend, report.period.grain, figure.changes)
        figures.annotate(drawn, figure.noted)
        # A lower chart has its legend nearer, and it would touch the axis where it has two lines.
        drawn.update_layout(height=240, margin_b=70, legend_y=-0.2)
        alt = f"{figure.title} by {report.period.grain}{notes.said(figure.noted)}"
        charts.still(drawn, f"report-chart-{figure.metric}", alt)
