"""For leadership: is delivery getting better, and what changed?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

import streamlit as st

from dashboards import cards, queries, states, words
from dashboards.comparing import FIVE
from dashboards.landings.answer import Fact, answer
from dashboards.report import comparison, findings
from dashboards.report.comparison import Compared
from dashboards.report.content import MOST_FINDINGS, RULE
from dashboards.report.period import Period, latest
from dashboards.view import View

_MORE = {"Delivery": ("compare", "Compare"), "Adoption": ("adoption", "Adoption"),
    "Survey": ("results", "Results")}  # fmt: skip
"""Area of a finding → page that has more of it, and its name."""
_ICONS = {True: "trending_up", False: "trending_down", None: "swap_vert"}


def show(view: View) -> None:
    """What changed detectably in the last period that is over, and DORA's five figures over time."""
    covered = queries.covered_on(view.source)
    if covered is None or queries.extent(view.source) is None:
        states.no_deployments(view.source)
        return
    shown = Period.around(view.until - timedelta(days=1), view.grain)
    period = min(latest(covered, view.grain), shown)
    compared = comparison.compare(view.source, view.scope, period)
    found = findings.find(view.source, view.scope, period, compared)
    facts = [Fact("speed", _summary(compared), "overview", "Overview")]
    for finding in found[:MOST_FINDINGS]:
        said = f"**{words.plain(finding.headline)}**  \n{words.plain(finding.detail)}"
        facts.append(Fact(_ICONS[finding.is_better], said, *_MORE[finding.area]))
    if not found:
        said = "**Nothing else changed detectably**, in delivery, adoption or surveys."
        facts.append(Fact("check", said, "report", "Report"))
    answer("Is delivery getting better?", facts)
    cards.row(view, *FIVE, with_trend=True)
    st.caption(f"**What is said to have changed.** {RULE}")


def _summary(compared: Sequence[Compared]) -> str:
    """How many of the five figures changed, in a sentence."""
    period = compared[0].period
    against = f"in {period.label} against {period.back(1).label}"
    known = [each for each in compared if each.difference is not None]
    if not known:
        return f"**{period.label} cannot be compared** with {period.back(1).label}."
    changed = Counter(each.verdict for each in known if each.verdict)
    if not changed:
        return f"**None of {words.count(len(known), 'figure')} changed detectably** {against}."
    said = ", ".join(f"{number} {verdict}" for verdict, number in changed.items())
    rest = len(known) - changed.total()
    others = f" {rest} did not change detectably." if rest else ""
    return f"**Of DORA's figures {said}** {against}.{others}"
