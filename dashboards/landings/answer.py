"""A question and, fact by fact, its answer, each with the way to what is behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import streamlit as st

from dashboards import navigation


class Fact(NamedTuple):
    """A part of the answer."""

    icon: str
    """Name of a Material symbol."""
    said: str
    """Markdown."""
    path: str
    """Page that has more of it."""
    way: str
    """What the link there says."""
    params: Mapping[str, str] = MappingProxyType({})
    """What the page there is to be set to."""


def answer(question: str, facts: Sequence[Fact]) -> None:
    """Draw the question with its answer."""
    with st.container(border=True, key="answer"):
        st.header(question, anchor=False)
        for fact in facts:
            said, way = st.columns([5, 1])
            said.markdown(f":material/{fact.icon}: {fact.said}")
            with way:
                navigation.link(fact.path, fact.way, **fact.params)
