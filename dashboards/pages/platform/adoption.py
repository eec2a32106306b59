"""Platform › Adoption: who uses what the platform offers, who came, who left and for what, who never did."""

from __future__ import annotations

import streamlit as st

from dashboards import cards, charts, drill, figures, notes, offers, queries, words
from dashboards.definitions import heading
from dashboards.view import View

REACH: tuple[queries.Metric, ...] = ("reach", "breadth", "depth")
LASTING: tuple[queries.Metric, ...] = ("churn", "voluntary_share", "outside_contribution")
REACH_OF_ONE: tuple[queries.Metric, ...] = ("reach", "developer_reach", "depth")
LASTING_OF_ONE: tuple[queries.Metric, ...] = ("churn", "voluntary_share", "currency")
COLUMNS = {
    "changed_on": st.column_config.DateColumn("On", format="D MMM YYYY"),
    "since": st.column_config.DateColumn("Since", format="D MMM YYYY"),
    "last_used_on": st.column_config.DateColumn("Last used", format="D MMM YYYY"),
    "service": "Service", "team": "Team", "change": "What", "capability": "Capability", "tier": "Tier",
    "kind": "Kind", "version": "Version", "services": "Services", "instead": "Uses instead",
    "is_mandated": st.column_config.CheckboxColumn("Mandated", help="A mandate takes it in"),
    "is_start_unknown": st.column_config.CheckboxColumn(
        "Since before", help="It was in use when it was first looked for"
    ),
    "is_carried": st.column_config.CheckboxColumn(
        "Not confirmed", help="Its source could not be read for more than two days"
    ),
    "url": st.column_config.LinkColumn("Evidence", display_text="Open"),
    "using": "Use it", "eligible": "Could", "dormant": "Dormant", "share": st.column_config.NumberColumn(
        "Reach", format="percent"
    ),
}  # fmt: skip


def show(view: View) -> None:
    """Reach, depth and churn with their trends, then the services and teams behind them."""
    chosen = offers.choose(view)
    if chosen is None:
        return
    metrics = (*REACH, *LASTING) if chosen.scope.capability is None else (*REACH_OF_ONE, *LASTING_OF_ONE)
    cards.row(chosen, *metrics)
    left, right = st.columns(2)
    charts.trend(chosen, "reach", figures.line, left)
    changes = queries.service_changes(chosen.source, chosen.scope, chosen.since, chosen.until)
    with right.container(border=True):
        heading(chosen, "quick_ratio", "Came and left")
        if changes.empty:
            st.caption(f"Nobody came or left in {words.span(chosen.since, chosen.until)}.")
        else:
            figure = figures.comings(changes, chosen.grain)
            happened = notes.of(chosen, "quick_ratio")
            figures.annotate(figure, happened)
            charts.still(figure, "comings", f"Services that came and left{notes.said(happened)}")
            _quick_ratio(chosen)
    _lists(chosen, metrics)


def _quick_ratio(view: View) -> None:
    rows = view.trend("quick_ratio")
    known = rows[rows["value"].notna() & ~rows["partial"]]
    if len(known):
        last = known.iloc[-1]
        st.caption(
            f"Quick ratio in {words.period(last['period_start'], view.grain)}: **{last['value']:.1f}**"
            " came for one that left. Above 1 the platform grows."
        )


def _lists(view: View, metrics: tuple[queries.Metric, ...]) -> None:
    since, until = drill.period(view)
    changes = queries.service_changes(view.source, view.scope, since, until)
    teams = queries.team_changes(view.source, view.scope, since, until)
    now = queries.adopters(view.source, view.scope)
    tabs = st.tabs(["Who left", "Who came", "Who never came", "Who uses it", "By capability", "Figures"])
    with tabs[5]:
        drill.figures(view, *metrics, "quick_ratio", since=since, until=until)
    for tab, names, past in ((tabs[0], ("left",), "left"), (tabs[1], ("adopted", "returned"), "came")):
        with tab:
            st.markdown(
                "**Teams** of which no service uses it any more"
                if past == "left"
                else "**Teams** whose first service came"
            )
            offers.table(view, "team", teams[teams["change"].isin(names)], f"teams-{past}", COLUMNS)
            st.markdown("**Services**")
            offers.table(view, "service", changes[changes["change"].isin(names)], f"services-{past}", COLUMNS)
    with tabs[2]:
        never = now[now["state"].eq("never")]
        offers.table(
            view,
            "service",
            never[["service", "team", "tier", "kind", "capability", "is_mandated"]],
            "never",
            COLUMNS,
        )
    with tabs[3]:
        using = now[now["state"].eq("using")].drop(columns="state")
        offers.table(view, "service", using, "using", COLUMNS)
    with tabs[4]:
        known = queries.capabilities(view.source)
        rows = known.assign(
            share=known["using_services"] / known["eligible_services"].where(known["eligible_services"] > 0)
        )
        rows = rows[
            [
                "title",
                "owner",
                "kind",
                "using_services",
                "eligible_services",
                "share",
                "dormant_services",
                "introduced_on",
                "mandated_on",
                "retired_on",
            ]
        ]
        offers.table(view, "capability", rows, "capabilities", CAPABILITIES)
    offers.fewer_than_three(view)


CAPABILITIES = {
    "title": "Capability", "owner": "Owner", "kind": "Kind", "using_services": "Services that use it",
    "eligible_services": "Could use it",
    "share": st.column_config.NumberColumn("Reach", format="percent"),
    "dormant_services": st.column_config.NumberColumn("Dormant", help="No commit in 90 days: in no figure"),
    "introduced_on": st.column_config.DateColumn("Offered since", format="D MMM YYYY"),
    "mandated_on": st.column_config.DateColumn("Mandated since", format="D MMM YYYY"),
    "retired_on": st.column_config.DateColumn("Retired", format="D MMM YYYY"),
}  # fmt: skip
