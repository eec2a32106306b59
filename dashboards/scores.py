"""A group's scores in a survey as cards, and in words what changed since the wave before."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd
import streamlit as st

from dashboards import figures, words

TITLES = {"response": "Response rate", "nps": "Net promoter score", "umux_lite": "Usability (UMUX-Lite)"}
_SCALES = {"nps": "from −100 to 100", "umux_lite": "from 0 to 100"}

COLUMNS = {
    "construct_title": "About", "label": "Question", "text": None, "status": "Status",
    "value": st.column_config.NumberColumn("Favourable", format="percent"),
    "low": st.column_config.NumberColumn("Low", format="percent", help="Of the 90 % interval"),
    "high": st.column_config.NumberColumn("High", format="percent", help="Of the 90 % interval"),
    "n": "n", "dont_know": st.column_config.NumberColumn("Don't know", help="Not in n"),
    "mean": st.column_config.NumberColumn("Mean", format="%.0f", help="On 0 to 100; from 20 answers on"),
    "mean_low": None, "mean_high": None, "item_id": None, "earlier_wave": None, "change": None,
    "rolls_up_to": "Counted in", "change_says": None,
}  # fmt: skip
"""How the table of `queries.survey_results` is titled and written."""


def cards(rows: pd.DataFrame) -> None:
    """A card for each of `queries.survey_scores`, beside one another."""
    for column, row in zip(st.columns(max(len(rows), 1)), rows.to_dict("records"), strict=False):
        with column.container(border=True, height="stretch", key=f"score-{row['item_id']}"):
            title, is_known = TITLES[row["statistic"]], row["status"] == "ok"
            st.metric(title, figures.score(row["value"], row["statistic"]) if is_known else "–")
            st.caption(_said(row) if is_known else unshown(row))


def _said(row: Mapping[Hashable, Any]) -> str:
    if row["statistic"] == "response":
        return f"{row['answered']:,.0f} of {row['invited']:,.0f} invited"
    low, high = (figures.score(row[name], row["statistic"]) for name in ("low", "high"))
    of = f"{words.plain(row['title'])}, {_SCALES[row['statistic']]}"
    said = f"{of} · 90 % interval {words.plain(low)} to {words.plain(high)} · n = {row['n']:,.0f}"
    return f"{said}  \n{words.plain(row['change_says'])}" if isinstance(row["change_says"], str) else said


def unshown(row: Mapping[Hashable, Any]) -> str:
    """Why there is no value, and the group above whose figure there is."""
    said = figures.UNSHOWN[row["status"]].capitalize()
    above = row["rolls_up_to"]
    return f"{said}. Counted in {words.plain(figures.group_name(above))}." if isinstance(above, str) else said


def is_withheld(rows: pd.DataFrame, group: str) -> bool:
    """Whether there is no question of which a group's answers are shown; then it says so."""
    if rows["status"].eq("ok").any():
        return False
    if rows.empty:
        st.info("This wave asked nothing that has better and worse answers.", icon=":material/forum:")
        return True
    st.info(f"**{words.plain(group)}**: {unshown(rows.iloc[0].to_dict())}", icon=":material/visibility_off:")
    if rows["status"].eq("no_data").all():
        st.markdown("Nobody of this group was invited, or nobody answered.")
    else:
        st.markdown(
            "Answers of few people, and what would let others work them out, are never shown. Choose a larger"
            " group above; the more people answer, the more groups can be shown."
        )
    return True


def changes(rows: pd.DataFrame) -> None:
    """What is said of each question's difference to the wave before: what changed comes first."""
    compared = rows[rows["change_says"].notna()]
    st.header("Since the wave before", anchor=False)
    if compared.empty:
        st.markdown("No earlier wave shows these questions of this group: the next one can be compared.")
        return
    is_change = compared["is_change"].eq(True)
    for row in compared[is_change].to_dict("records"):
        icon = ":material/trending_up:" if row["change"] > 0 else ":material/trending_down:"
        st.markdown(f"{icon} **{words.plain(row['label'])}**  \n{words.plain(row['change_says'])}")
    if not is_change.any():
        st.markdown("**No question has a detectable change.**")
    lines = [
        f"- {words.plain(row['label'])}: {words.plain(row['change_says'])}"
        for row in compared[~is_change].to_dict("records")
    ]
    st.caption("\n".join(lines))
