"""Voice › Comments: what people wrote, by group, and how many of them wrote about what."""

from __future__ import annotations

import streamlit as st

from dashboards import charts, comments, figures, queries, voices, words
from dashboards.view import Cached


def show(source: Cached) -> None:
    """Themes of a group, then its comments, to be searched."""
    filters = st.container(horizontal=True, vertical_alignment="bottom", key="voice-filters")
    wave = voices.choose_wave(source, filters)
    if wave is None:
        return
    name = str(wave["wave"])
    known = queries.survey_comment_groups(source, name)
    with filters:
        group = comments.choose_group(known)
        sought = st.text_input(
            "Search", key="search", bind="query-params", width=260, icon=":material/search:"
        )
    voices.told(wave)
    if known.empty:
        comments.nothing(wave)
        return
    who = words.plain(figures.group_name(group or ""))
    themes = queries.survey_themes(source, name, group or "")
    with st.container(border=True):
        st.header("Themes", anchor=False)
        if themes.empty:
            st.markdown(f"{who}: no theme was written about by {wave['comment_group']} people or more.")
        else:
            charts.still(figures.themes(themes), "themes", "People by theme of their comments")
            st.caption(
                f"{who}: a person counts once in a theme, found by the words used; themes of fewer than"
                f" {wave['comment_group']} people are not shown."
            )
    found = queries.survey_comments(source, name, group, sought)
    voices.download(
        f"{words.count(len(found), 'comment')}, in an order that means nothing",
        f"comments-{name}",
        found.copy,
    )
    comments.show(found)
    comments.withheld(wave)
