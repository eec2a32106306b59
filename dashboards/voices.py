"""What the voice pages have in common: which wave and group they are about, and what stands where none is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboards import drill, figures, queries, wave_states, words
from dashboards.view import Cached

GROUPINGS: dict[str, queries.Grouping] = {"Team": "team", "Tier": "tier", "Role": "role"}


def choose_wave(source: Cached, filters: DeltaGenerator | None = None) -> pd.Series | None:
    """Draw the choice of a wave, among `filters`, and return its row; None where none is released, which the
    page then says."""
    known = queries.survey_waves(source)
    if known.empty:
        nothing_yet()
        return None
    names = known["wave"].to_list()
    chosen = (filters or st).selectbox("Wave", names, key="wave", bind="query-params", width=260)
    return known.iloc[names.index(chosen)]


def choose_group(source: Cached, wave: str) -> tuple[queries.Grouping, str]:
    """Draw the choice of a group of a wave; of the team tree unless a tier or role is asked for."""
    by = GROUPINGS[st.selectbox("By", [*GROUPINGS], key="by", bind="query-params", width=130)]
    known = queries.survey_groups(source, wave, by)
    labels = {
        f"{figures.INDENT * (depth - 1)}{figures.group_name(group)}": str(group)
        for group, depth in zip(known["group_name"], known["depth"], strict=True)
    }
    chosen = st.selectbox("Group", [*labels], key="group", bind="query-params", width=260)
    return by, labels[chosen]


def told(wave: pd.Series) -> None:
    """A line on the wave: what was asked, when, of how many, and from how many on a group is shown."""
    st.caption(
        f"**{words.plain(wave['title'])}** · {words.span(wave['opened_on'], wave['closed_on'])} ·"
        f" {wave['invited']:,} invited · groups of fewer than {wave['minimum_group']}, and what would give"
        " one away, are withheld"
    )


def listing(noun: str, rows: pd.DataFrame, name: str, columns: Mapping[str, Any]) -> None:
    """A table with a download called `name`; without columns that say nothing."""
    few = rows.head(drill.SHOWN)
    said = words.count(len(rows), noun) + drill.more(len(rows), len(few))
    drill.downloadable(said, name, f"cairn-{name}.csv", rows.copy)
    silent = [column for column in rows if rows[column].isna().all() or rows[column].eq("ok").all()]
    shown = few.drop(columns=silent)
    st.dataframe(shown, hide_index=True, column_config={**columns}, key=f"table-{name}")


def download(said: str, name: str, rows: Callable[[], pd.DataFrame]) -> None:
    """A line with a download called `name`."""
    drill.downloadable(said, name, f"cairn-{name}.csv", rows)


def nothing_yet() -> None:
    """No wave is released: say how far the latest is, or how the first begins."""
    waves = wave_states.read().waves
    if not waves:
        none_opened()
        return
    latest = waves[0]
    st.info("No survey has been released yet.", icon=":material/forum:")
    st.markdown(f"**{words.plain(latest.id)}** {latest.told}. {latest.next_step.said}")
    if latest.next_step.command:
        st.code(latest.next_step.command, language=None, wrap_lines=True)


def none_opened() -> None:
    """There is no wave at all."""
    st.info("No survey was opened yet.", icon=":material/forum:")
    st.markdown("A wave asks some teams a two-minute questionnaire. In a terminal, type:")
    st.code(wave_states.FIRST, language=None, wrap_lines=True)
    st.caption("`docs/surveys.md` says who is asked, how often, and what keeps answers from being traced.")
