"""Operate › Annotations: what happened when, as it is marked on the trends it is about."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st

from dashboards import queries, viewer, voices, words
from dashboards.roles import RUNNERS
from dashboards.view import Cached
from pipelines import annotating
from pipelines.annotating import Annotation, AnnotationError
from pipelines.annotation_settings import Level
from pipelines.home import Home

WHOLE = "Everything"
COLUMNS = {
    "date": st.column_config.DateColumn("Day", format="D MMM YYYY"), "text": "What happened",
    "about": "About", "origin": "From", "id": None,
}  # fmt: skip
_ORIGINS = {"workspace": "The workspace file", "added": "Added here or by command"}
_EXAMPLE = """\
annotations:
  - {date: 2026-03-02, text: Reorganisation, team: search}
  - {date: 2026-12-18, text: Change freeze until 4 January}
"""


def show(source: Cached) -> None:
    """All of them, the latest first; those who look after the data add and remove here."""
    home = Home.from_env()
    st.caption(
        "A star on every trend of what it is about. One of a team is on the trends of those below it and of"
        " their services, one of a capability on its adoption, the others on all."
    )
    try:
        known = annotating.read(home)
    except AnnotationError as error:
        st.error(words.plain(error), icon=":material/error:")
        return
    subjects = _subjects(source)
    if known:
        voices.listing("annotation", _table(known, subjects), "annotations", COLUMNS)
    else:
        st.info("Nothing is marked yet.", icon=":material/star:")
    if viewer.roles() & RUNNERS:
        _add(home, ZoneInfo(str(queries.workspace(source)["timezone"])), subjects)
        _remove(home, [each for each in known if each.origin == "added"])
    with st.expander("What is known in advance stands in the workspace file"):
        st.code(_EXAMPLE, language=None, wrap_lines=True)
        st.caption("A command adds one, too: `cairn annotate add --date 2026-03-02 --team search TEXT`.")


def _subjects(source: Cached) -> dict[str, tuple[Level, str | None]]:
    """What an annotation may be about, by how it is called."""
    found: dict[str, tuple[Level, str | None]] = {WHOLE: ("organisation", None)}
    for scope in queries.scopes(source):
        if scope.level != "organisation":
            found[f"{scope.level.capitalize()}: {scope.key}"] = (scope.level, scope.key)
    for name in queries.capabilities(source)["capability"]:
        found[f"Capability: {name}"] = ("capability", str(name))
    return found


def _table(known: tuple[Annotation, ...], subjects: dict[str, tuple[Level, str | None]]) -> pd.DataFrame:
    called = {about: name for name, about in subjects.items()}
    return pd.DataFrame(
        {
            "date": each.date,
            "text": each.text,
            "about": called.get((each.level, each.key), f"{each.level.capitalize()}: {each.key} (not known)"),
            "origin": _ORIGINS[each.origin],
            "id": each.id,
        }
        for each in reversed(known)
    )


def _add(home: Home, zone: ZoneInfo, subjects: dict[str, tuple[Level, str | None]]) -> None:
    st.header("Add one", anchor=False)
    with st.form("annotate", clear_on_submit=True):
        text = st.text_input("What happened", max_chars=200, help="Name a team or a role, never a person.")
        on = st.date_input("Day", datetime.now(zone).date())
        about = st.selectbox("About", [*subjects])
        if st.form_submit_button("Add"):
            try:
                annotating.add(home, on, text, *subjects[about])
            except AnnotationError as error:
                st.error(words.plain(error), icon=":material/error:")
            else:
                st.rerun()


def _remove(home: Home, added: list[Annotation]) -> None:
    if not added:
        return
    st.header("Remove one", anchor=False)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        labels = {f"{words.day(each.date)}: {each.text} ({each.id})": each.id for each in reversed(added)}
        chosen = st.selectbox("Annotation", [*labels], index=None, placeholder="Choose one", width=420)
        if st.button("Remove", disabled=chosen is None) and chosen is not None:
            try:
                annotating.remove(home, labels[chosen])
            except AnnotationError as error:
                st.error(words.plain(error), icon=":material/error:")
            else:
                st.rerun()
