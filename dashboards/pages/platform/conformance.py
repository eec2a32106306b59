"""Platform › Conformance: which service does what is asked of it, who drifts, and who is out of date."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from dashboards import cards, charts, drill, figures, offers, queries, words
from dashboards.view import View

METRICS: tuple[queries.Metric, ...] = ("conformance", "drift")
_EXAMPLE = """\
platform:
  checks:
    - {name: delivers-by-the-golden-path, capability: golden-path, weight: 2}
"""


def show(view: View) -> None:
    """Figures of all checks, each check's share, the matrix of services, and versions in use."""
    rows = queries.checks(view.source, view.scope)
    if rows.empty:
        st.info("No check is asked of a service here.", icon=":material/rule:")
        st.markdown("A check is a capability that services should have, or evidence of its own:")
        st.code(_EXAMPLE, language=None, wrap_lines=True)
    else:
        cards.row(view, *METRICS)
        left, right = st.columns(2)
        charts.trend(view, "conformance", figures.line, left)
        with right.container(border=True):
            st.header("Checks", anchor=False)
            charts.still(figures.shares(_by_check(rows)), "checks", "Share of services that pass each check")
        st.header("Services", anchor=False)
        drill.listing(view, "service", _matrix(rows), name="conformance", titles=_columns(rows))
        st.caption("Services that three people or more work on; the ones that pass least come first.")
        drill.behind(view, *METRICS)
    chosen = offers.choose(view)
    if chosen is not None:
        cards.row(chosen, "currency")
        versions = queries.versions(chosen.source, chosen.scope)
        offers.table(chosen, "version", versions.drop(columns="capability"), "versions", VERSIONS)


VERSIONS = {
    "title": "Capability", "version": "Version", "services": "Services",
    "is_current": st.column_config.CheckboxColumn("Current", help="The newest or the one before"),
}  # fmt: skip


def _by_check(rows: pd.DataFrame) -> pd.DataFrame:
    grouped = rows.groupby(["platform_check", "title"], sort=False)["is_passed"].agg(["sum", "count"])
    return pd.DataFrame(
        {
            "name": [title for _, title in grouped.index],
            "share": (grouped["sum"] / grouped["count"]).to_numpy(),
            "said": [
                f"{passed:,} of {of:,} ({words.share(passed / of)})"
                for passed, of in zip(grouped["sum"], grouped["count"], strict=True)
            ],
        }
    )


def _matrix(rows: pd.DataFrame) -> pd.DataFrame:
    """A row for each service, a column for each check: True, False, or none where it is not asked."""
    weighed = rows.assign(passed=rows["weight"] * rows["is_passed"])
    totals = weighed.groupby("service")[["passed", "weight"]].sum()
    table = rows.pivot(index=["service", "team", "tier"], columns="platform_check", values="is_passed")
    table = table[list(dict.fromkeys(rows["platform_check"]))].reset_index()
    table.insert(3, "share", table["service"].map(totals["passed"] / totals["weight"]))
    return table.sort_values(["share", "service"], ignore_index=True).rename_axis(columns=None)


def _columns(rows: pd.DataFrame) -> dict[str, Any]:
    titles = rows.drop_duplicates("platform_check").set_index("platform_check")["title"]
    return {
        "service": "Service",
        "team": "Team",
        "tier": "Tier",
        "share": st.column_config.ProgressColumn("Passed", format="percent", min_value=0, max_value=1),
        **{
            str(check): st.column_config.CheckboxColumn(words.plain(title)) for check, title in titles.items()
        },
    }
