"""Voice › Results: how many answered, what they find good, what changed, by group and over waves."""

from __future__ import annotations

import streamlit as st

from dashboards import charts, figures, queries, scores, voices, words
from dashboards.view import Cached


def show(source: Cached) -> None:
    """Scores, then each question with its change, groups side by side, and one question over waves."""
    filters = st.container(horizontal=True, vertical_alignment="bottom", key="voice-filters")
    wave = voices.choose_wave(source, filters)
    if wave is None:
        return
    with filters:
        by, group = voices.choose_group(source, str(wave["wave"]))
    voices.told(wave)
    name, who = str(wave["wave"]), figures.group_name(group)
    scores.cards(queries.survey_scores(source, name, by, group))
    rows = queries.survey_results(source, name, by, group)
    if scores.is_withheld(rows, who):
        _side_by_side(source, name, by)
        return
    left, right = st.columns([3, 2])
    with left.container(border=True):
        st.header("Favourable answers", anchor=False)
        charts.still(figures.answers(rows), "answers", f"Favourable answers of {who} by question")
    with right.container(border=True):
        scores.changes(rows)
    voices.listing("question", rows.drop(columns="is_change"), f"results-{name}", scores.COLUMNS)
    _side_by_side(source, name, by)
    _over_waves(source, name, by, group)


def _side_by_side(source: Cached, wave: str, by: queries.Grouping) -> None:
    st.header("Side by side", anchor=False)
    rows = queries.survey_heat(source, wave, by)
    voices.download(
        "Favourable answers in per cent. **Withheld**: too few answers; no data: nobody was asked.",
        f"results-by-{by}-{wave}",
        rows.copy,
    )
    with st.container(key="heat"):
        st.dataframe(figures.heat(rows))


def _over_waves(source: Cached, wave: str, by: queries.Grouping, group: str) -> None:
    st.header("Over waves", anchor=False)
    known = queries.survey_measures(source, wave)
    measures = zip(known["item_id"], known["statistic"], strict=True)
    options = dict(zip(known["label"], measures, strict=True))
    chosen = st.selectbox("Question", [*options], key="question", bind="query-params", width=400)
    item, statistic = options[chosen]
    trend = queries.survey_trend(source, item, statistic, by, group)
    with st.container(border=True):
        charts.still(figures.waves(trend, statistic), "waves", f"{words.plain(chosen)} by wave")
        st.caption("Bars are 90 % intervals. At a dashed line a new question took an old one's place.")
