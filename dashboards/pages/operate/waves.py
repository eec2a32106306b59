"""Operate › Waves: what is open, how far it is, what it promised, and what to do next."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboards import queries, voices, wave_states, words
from dashboards.view import Cached
from dashboards.wave_states import Standing

COLUMNS = {
    "wave": "Wave", "questionnaire": "Questionnaire", "state": "State",
    "opened": st.column_config.DateColumn("Opens", format="D MMM YYYY"),
    "closed": st.column_config.DateColumn("Closes", format="D MMM YYYY"),
    "invited": "Invited", "answered": "Answered", "smallest_group": "Smallest group",
    "smallest_comment_group": "… with comments",
}  # fmt: skip
GROUPS = {
    "group": "Team", "parent": "Part of", "depth": None, "invited": "Invited", "band": "Answered",
}  # fmt: skip


def show(source: Cached) -> None:
    """Waves to be released in full, then all the others in a list."""
    found = wave_states.read()
    if found.problem:
        st.error("The survey store cannot be read.", icon=":material/error:")
        st.markdown(f"{words.plain(found.problem)}: `cairn survey status` says what is wrong.")
        return
    if not found.waves:
        voices.none_opened()
        return
    published = set(queries.survey_waves(source)["wave"])
    for wave in found.waves:
        if not wave.is_settled(published):
            _running(wave)
    rows = wave_states.table(found.waves)
    st.header("All waves", anchor=False)
    voices.listing("wave", rows, "waves", COLUMNS)


def _running(wave: Standing) -> None:
    with st.container(border=True, key=f"wave-{wave.id}"):
        st.header(words.plain(wave.id), anchor=False)
        st.markdown(f"{wave_states.BADGES[wave.state]} It {wave.told}.")
        with st.container(horizontal=True):
            for title, value in wave.figures.items():
                st.metric(title, value, width=200)
        step = wave.next_step
        st.markdown(f"**Next.** {step.said}")
        if step.command:
            st.code(step.command, language=None, wrap_lines=True)
        st.caption(wave.promise)
        if wave.groups:
            with st.expander("By team, of whom enough were invited"):
                st.dataframe(pd.DataFrame(wave.groups), hide_index=True, column_config=GROUPS)
