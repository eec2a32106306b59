"""Platform › Funnel & cohorts: how far services and teams get, how fast, and whether they stay."""

from __future__ import annotations

import streamlit as st

from dashboards import cards, charts, drill, figures, offers, queries
from dashboards.definitions import heading
from dashboards.view import View

BEGINNING: tuple[queries.Metric, ...] = (
    "activation", "first_deployment_p50", "first_deployment_p75", "retention",
)  # fmt: skip
TEMPLATES: tuple[queries.Metric, ...] = (
    "template_success", "template_time", "self_service_share", "new_software_share",
)  # fmt: skip


def show(view: View) -> None:
    """The funnel beside the retention of cohorts, then how templates do."""
    chosen = offers.choose(view)
    if chosen is None:
        return
    cards.row(chosen, *BEGINNING)
    left, right = st.columns(2)
    with left.container(border=True, height="stretch"):
        st.header("Funnel", anchor=False)
        if chosen.scope.capability is None:
            st.markdown("Choose a capability: services get to each by a way of its own.")
        else:
            steps = queries.funnel(chosen.source, chosen.scope)
            charts.still(figures.funnel(steps), "funnel", "How many services came how far")
            st.caption("Active services of the organisation that are eligible, as of the last day read.")
    with right.container(border=True, height="stretch"):
        heading(chosen, "retention", "Who stays")
        rows = queries.cohorts(chosen.source, chosen.scope)
        if rows.empty:
            st.markdown("No cohort is old enough yet: it takes 30 days from the first use that was seen.")
        else:
            charts.still(figures.cohorts(rows), "cohorts", "Retention by month of first use")
            st.caption(
                "Services of the organisation, by the month in which they first used it; in per cent of those"
                " that were active then."
            )
    st.header("Templates", anchor=False)
    cards.row(chosen, *TEMPLATES)
    drill.behind(chosen, *BEGINNING, *TEMPLATES)
