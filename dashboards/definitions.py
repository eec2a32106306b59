"""What a figure means, shown where it stands."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from dashboards import queries
from dashboards.view import View

_UNITS = {
    "count": "a count",
    "per_week": "deployments per week",
    "seconds": "a duration (seconds in downloads)",
}

_CENSUS = "None: every deployment is counted, so there is no sample to be uncertain about."
_ACROSS = "90 %, across services, by order statistics; `n` is the number of services."
_CLUSTERED = (
    "90 %, of the median, by Woodruff's method with deployments as clusters, since changes that ship"
    " together wait together. None under 10 deployments."
)
_INTERVALS: Mapping[str, tuple[str, str]] = {
    "deployments": (_CENSUS, _CENSUS),
    "deployment_frequency": (_CENSUS, _ACROSS),
    "change_lead_time": (_CLUSTERED, _ACROSS),
}
"""How a metric's interval is made: for one service, and above."""

_INDUSTRY: Mapping[str, str] = {
    "deployment_frequency": "4.8 ± 2.8",
    "change_lead_time": "5.5 ± 2.4",
}
"""DORA Quick Check, all industries, 2025: mean ± standard deviation of answers from 0 to 10."""


def explain(view: View, metric: queries.Metric, *, key: str) -> None:
    """A button that opens the metric's definition, unit and way to its interval."""
    told = queries.definition(view.source, metric)
    is_service = view.scope.level == "service"
    with st.popover("Definition", icon=":material/info:", type="tertiary", key=f"explain-{key}"):
        st.markdown(f"**{told['title']}**")
        st.markdown(str(told["definition"]))
        if not is_service:
            st.markdown(
                "Here: the sum over the services."
                if metric == "deployments"
                else "Here: the median over the services, each with equal weight, so that the busiest"
                " does not stand for all."
            )
        st.markdown(f"**Unit** {_UNITS.get(str(told['unit']), told['unit'])}")
        st.markdown(f"**Interval** {_INTERVALS[metric][not is_service]}")
        st.markdown("**Too few** With `n` under 5 a median is shown and compared with nothing.")
        if metric in _INDUSTRY:
            st.caption(
                f"Industry context: in DORA's Quick Check, teams of all industries rated themselves"
                f" {_INDUSTRY[metric]} on a scale from 0 to 10 (mean ± standard deviation, 2025, CC BY 4.0)."
                " That is a scale of answers, not a measured figure: context, not a verdict."
            )


def heading(view: View, title: str, metric: queries.Metric) -> None:
    """A chart's title with the definition beside it."""
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.subheader(title, anchor=False, width="content")
        explain(view, metric, key=f"chart-{metric}")
