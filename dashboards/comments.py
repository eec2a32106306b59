"""Comments on a page: text of unknown hands, shown as text and nothing else."""

from __future__ import annotations

from html import escape

import pandas as pd
import streamlit as st

from dashboards import figures, words

SHOWN = 200
"""Comments on a page; searching narrows them down, and the download has all."""
ALL = "All groups"

_STYLE = """
<style>
.comments { list-style: none; margin: 0; padding: 0; }
.comments li { margin: 0 0 .75rem; padding: .25rem 0 .25rem 1rem; border-left: 3px solid #8B95A5; }
.comments bdi { display: block; white-space: pre-line; overflow-wrap: anywhere; max-width: 75ch; }
.comments small { opacity: .8; }
</style>
"""


def choose_group(known: pd.DataFrame) -> str | None:
    """Draw the choice of a group with comments, and return it; None for all."""
    labels = {
        f"{figures.group_name(group)} ({count:,})": str(group)
        for group, count in zip(known["group_name"], known["comments"], strict=True)
    }
    return labels.get(st.selectbox("Group", [ALL, *labels], key="written", bind="query-params", width=260))


def show(found: pd.DataFrame) -> None:
    """The comments with where they stand; at most `SHOWN`."""
    if found.empty:
        st.markdown("No comment has these words.")
        return
    items = "".join(
        f"<li><bdi>{escape(row['text'])}</bdi>"
        f"<small>{escape(figures.group_name(row['group_name']))} · {escape(row['question'])}</small></li>"
        for row in found.head(SHOWN).to_dict("records")
    )
    st.html(f"{_STYLE}<ul class='comments'>{items}</ul>")
    if len(found) > SHOWN:
        st.caption(f"The first {SHOWN:,} are shown: search for words, or download all.")


def withheld(wave: pd.Series) -> None:
    """How many comments are not shown, and why."""
    if wave["comments_withheld"]:
        number = int(wave["comments_withheld"])
        st.caption(
            f"{words.count(number, 'comment')} withheld: too few people wrote. Each comment stands at the"
            f" smallest group of which at least {wave['comment_group']} people wrote one."
        )


def nothing(wave: pd.Series) -> None:
    """No comment of the wave is shown."""
    st.info("No comment is shown of this wave.", icon=":material/speaker_notes_off:")
    st.markdown(
        f"Comments are shown where at least {wave['comment_group']} people wrote one, as was promised to"
        " those who did."
    )
    withheld(wave)
