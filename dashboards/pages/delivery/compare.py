"""Delivery › Compare: a period against the service's own past, and the service among its peers."""

from __future__ import annotations

from datetime import date

import pandas as pd
import streamlit as st

from dashboards import charts, drill, export, figures, queries, verdicts, words
from dashboards.comparing import FIVE
from dashboards.definitions import explain, heading
from dashboards.verdicts import Verdict
from dashboards.view import View

OTHERS: tuple[queries.Metric, ...] = ("pr_pickup", "pr_review", "ci_duration_p50", "batch_size")
METRICS = (*FIVE, *OTHERS)
FEWEST_PEERS = 5
"""With fewer, a point on the strip would be as good as a name."""


def show(view: View) -> None:
    """The verdicts in a sentence, each figure with its own, and a service's place among its peers."""
    known = verdicts.periods(view, METRICS)
    if not known:
        st.info(
            f"No {view.grain} in {words.span(view.since, view.until)} is over: choose a longer period.",
            icon=":material/search_off:",
        )
        return
    labels = {words.period(pd.Timestamp(start), view.grain): start for start in known}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        start = labels[st.selectbox("Compare", [*labels], key="of", bind="query-params", width=220)]
        against = st.selectbox("With", [*verdicts.BACK], key="with", bind="query-params", width=220)
    back = verdicts.BACK[against][view.grain]
    found = [each for family in (FIVE, OTHERS) for each in verdicts.verdicts(view, family, start, back)]
    st.markdown(verdicts.summary(found, view))
    with st.popover("How this is decided", icon=":material/info:", type="tertiary"):
        st.markdown(verdicts.METHOD)
    for first in range(0, len(found), 3):
        for column, verdict in zip(st.columns(3), found[first : first + 3], strict=False):
            with column.container(border=True, height="stretch", key=f"verdict-{verdict.metric}"):
                _card(view, verdict)
    rows = verdicts.table(found)
    file = export.file_name(view, "comparison", view.since, view.until)
    drill.downloadable(f"{len(rows)} figures compared", "comparison", file, rows.copy)
    st.header("Among its peers", anchor=False)
    _peers(view, start)


def _card(view: View, verdict: Verdict) -> None:
    told = queries.definition(view.source, verdict.metric)
    now, unit = verdict.now, str(told["unit"])
    difference = verdict.difference
    st.metric(
        str(told["title"]),
        words.figure(now["value"], unit),
        words.difference(difference.value, unit) if difference and difference.value else None,
        delta_color="off",
    )
    st.markdown(verdict.badge(str(told["better"])))
    before = words.period(verdict.before["period_start"], view.grain)
    lines = [f"{before}: {words.figure(verdict.before['value'], unit)}"]
    lines.append(f"n = {verdict.before['n']:,} then, {now['n']:,} now")
    if difference:
        low, high = (words.difference(bound, unit) for bound in (difference.low, difference.high))
        chance = f"= {difference.p_value:.2g}" if difference.p_value >= 0.001 else "< 0.001"
        lines.append(f"Difference: 90 % interval {low} to {high}; by itself p {chance}")
    st.caption("  \n".join(lines))
    st.space("stretch")
    explain(view, verdict.metric, key=f"verdict-{verdict.metric}")


def _peers(view: View, start: date) -> None:
    if view.scope.level != "service":
        st.caption("Of a single service: choose one. Teams are compared with their own past alone.")
        return
    traits = queries.traits(view.source, view.scope.key)
    if traits is None:
        st.caption("No catalogue tells tier and kind of this service, so that its peers are not known.")
        return
    titles = {str(queries.definition(view.source, metric)["title"]): metric for metric in METRICS}
    # Each reads a period of every service, which takes as long as all the rest of the page.
    chosen = st.selectbox("Figure", [*titles], index=1, key="figure", bind="query-params", width=340)
    tier, kind = map(words.plain, traits)
    period = words.period(pd.Timestamp(start), view.grain)
    with st.container(border=True):
        heading(view, titles[chosen])
        st.caption(f"Services of the kind {kind} in {tier}, without their names, in {period}.")
        _strip(view, titles[chosen], start)


def _strip(view: View, metric: queries.Metric, start: date) -> None:
    rows = queries.peers(view.source, metric, view.scope.key, view.grain, start)
    others, own = rows[~rows["is_chosen"]], rows[rows["is_chosen"]]
    if own.empty or len(others) < FEWEST_PEERS:
        few = f"Only {words.count(len(others), 'peer')} can be compared: under {FEWEST_PEERS} none is shown."
        st.caption("This service has no figure that can be compared." if own.empty else few)
        return
    told = queries.definition(view.source, metric)
    alt = f"{told['title']} of the service and its peers"
    charts.still(figures.strip(rows, str(told["unit"]), view.scope.key), "strip", alt)
    st.caption(verdicts.place(own.iloc[0], others["value"]))
