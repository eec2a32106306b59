"""What a figure means, shown where it stands."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from dashboards import queries, words
from dashboards.comparing import CENSUS
from dashboards.view import View

_UNITS = {
    "count": "a number",
    "per_week": "a number per week",
    "seconds": "a duration (seconds in downloads)",
    "ratio": "a share in per cent (from 0 to 1 in downloads)",
}

_CENSUS = "None: everything is counted, so there is no sample to be uncertain about."
_ACROSS = "90 %, across services, by order statistics; `n` is the number of services."
_INTERVALS: Mapping[str, str] = {
    "median": "90 %, of the median, by order statistics.",
    "p90": "90 %, of the 90th percentile, by order statistics.",
    "clustered_median": "90 %, of the median, by Woodruff's method with deployments as clusters, since what"
    " ships together waits together. None under 10 deployments.",
    "rate": "90 %, by Wilson's method.",
    "rate_as_of": "90 %, by Wilson's method.",
    "median_as_of": "90 %, of the median, by order statistics.",
    "median_rate": "90 %, of the median, by order statistics.",
    "survival": "90 %, of the median by Kaplan–Meier, in which what goes on counts as lasting at least so"
    " long; by order statistics on the effective sample size.",
}
"""How a service's interval is made, by estimate."""


def explain(view: View, metric: queries.Metric, *, key: str) -> None:
    """A button that opens the metric's definition, unit and way to its interval."""
    told = queries.definition(view.source, metric)
    estimate = str(told["estimate"])
    # A figure of adoption is of the services of a scope themselves, at every level.
    is_service = view.scope.level == "service" or told["area"] == "adoption"
    is_across = not is_service and estimate != "count"
    said = [f"**{told['title']}**", str(told["definition"])]
    if not is_service:
        said.append(
            "Here: the number over all services."
            if estimate == "count"
            else "Here: the median over the services, each with equal weight, so that the busiest"
            " does not stand for all."
        )
    said.append(f"**Unit** {_UNITS.get(str(told['unit']), told['unit'])}")
    said.append(f"**Interval** {_ACROSS if is_across else _INTERVALS.get(estimate, _CENSUS)}")
    if is_across or estimate not in CENSUS:
        said.append("**Too few** With `n` under 5 a figure is shown and compared with nothing.")
    with st.popover("Definition", icon=":material/info:", type="tertiary", key=f"explain-{key}"):
        # One element: a page has a dozen of these, and all are sent, opened or not.
        st.markdown("\n\n".join(said))
        for row in queries.industry(view.source, metric).to_dict("records")[:1]:
            st.caption(
                f"Industry context: {words.industry(row['mean'], row['standard_deviation'], row['unit'])}"
                f" ({row['source']}, {row['year']}, {row['licence']}). {words.INDUSTRY_CAVEAT}"
            )


def industry(view: View) -> None:
    """All of DORA's published answers, with what they are."""
    rows = queries.industry(view.source)
    with st.expander("Industry context: what teams answered in DORA's Quick Check", icon=":material/public:"):
        st.markdown(words.INDUSTRY_CAVEAT)
        said = [
            words.industry(*each)
            for each in zip(rows["mean"], rows["standard_deviation"], rows["unit"], strict=True)
        ]
        st.dataframe(
            rows[["title", "year"]].assign(answer=said, source=rows["source"] + ", " + rows["licence"]),
            hide_index=True,
            column_config={
                "title": "Metric",
                "year": st.column_config.NumberColumn("Year", format="%d"),
                "answer": "Mean ± standard deviation",
                "source": "Source and licence",
            },
        )


def heading(view: View, metric: queries.Metric, title: str | None = None) -> None:
    """A chart's title, the metric's unless another is given, with the definition beside it."""
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        name = title or str(queries.definition(view.source, metric)["title"])
        st.header(name, anchor=False, width="content")
        explain(view, metric, key=f"chart-{metric}")
