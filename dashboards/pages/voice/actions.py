"""Voice › Actions: you said, we did."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboards import figures, queries, voices, words
from dashboards.view import Cached

STATUS = {
    "planned": ":blue-badge[Planned]", "started": ":orange-badge[Under way]", "done": ":green-badge[Done]",
    "declined": ":gray-badge[Decided against]",
}  # fmt: skip
_EXAMPLE = """\
cairn survey act {wave} --theme documentation --state done \\
  --said "Runbooks are out of date." --did "Each has an owner, and a date of review."
"""


def show(source: Cached) -> None:
    """What was said beside what was done about it, newest first, and how to add to it."""
    known = queries.survey_waves(source)
    if known.empty:
        voices.nothing_yet()
        return
    st.caption("Shown to everybody who answers a survey, when they have sent it.")
    rows = queries.survey_actions(source)
    if rows.empty:
        st.info(
            "Nothing was done yet about what was said, or nobody wrote it down.", icon=":material/task_alt:"
        )
    for row in rows.to_dict("records"):
        _action(row)  # type: ignore[arg-type]
    if len(rows):
        voices.download(words.count(len(rows), "action"), "actions", rows.drop(columns="title").copy)
    st.header("Add one", anchor=False)
    st.markdown("In a terminal, type what people said and what you did about it, or why not:")
    st.code(_EXAMPLE.format(wave=known["wave"].iloc[0]), language=None, wrap_lines=True)


def _action(row: dict[str, Any]) -> None:
    with st.container(border=True, key=f"action-{row['action_id']}"):
        st.markdown(f"**{words.plain(figures.theme_name(row['title']))}** {STATUS[row['status']]}")
        said, did = st.columns(2)
        said.caption("You said")
        said.markdown(words.plain(row["said"]))
        did.caption("We did")
        did.markdown(words.plain(row["did"]))
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(f"{words.day(row['decided_on'])} · {words.plain(row['wave'])}", width="content")
            if isinstance(row["url"], str):
                st.link_button("More about it", row["url"], type="tertiary", icon=":material/open_in_new:")
