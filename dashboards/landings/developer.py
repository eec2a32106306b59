"""For developers: where does my team's work wait, and what came of what we said?"""

from __future__ import annotations

from collections.abc import Iterator

import streamlit as st

from dashboards import cards, figures, navigation, queries, wave_states, words
from dashboards.landings.answer import Fact, answer
from dashboards.view import View

FIGURES: tuple[queries.Metric, ...] = ("pr_pickup", "pr_review", "pr_release")
WAITS: tuple[queries.Metric, ...] = ("pr_coding", "pr_pickup", "pr_review", "pr_release")
ACTIONS = 3
"""Answers to what was said that are shown; the page has all."""


def show(view: View) -> None:
    """The longest stage of the team's changes, the survey that is open, and what was done about the last."""
    answer("Where does our work wait?", [*_facts(view)])
    cards.row(view, *FIGURES, with_trend=True)
    _actions(view)


def _facts(view: View) -> Iterator[Fact]:
    if view.scope.level == "organisation":
        said = "These are **all services together**: choose your team or service above."
        yield Fact("groups", said, "lead-time", "Lead time")
    rows = {metric: cards.last(view, metric) for metric in WAITS}
    known = {metric: row for metric, row in rows.items() if row is not None}
    if known:
        longest = max(known, key=lambda metric: float(known[metric]["value"]))
        row = known[longest]
        stage = longest.removeprefix("pr_")
        said = (
            f"**{stage.capitalize()} takes longest**: a median of {words.duration(row['value'])} in"
            f" {words.period(row['period_start'], view.grain)}, {words.interval(row)}."
        )
        yield Fact("hourglass_top", said, "lead-time", "Lead time", {"stage": stage.capitalize()})
    else:
        yield Fact("hourglass_empty", "No pull request with stages is known here.", "work", "Work")
    yield from _survey(view)


def _survey(view: View) -> Iterator[Fact]:
    """The survey that takes answers, or else the latest whose results are there."""
    is_open = [wave for wave in wave_states.read().waves if wave.state in {"collecting", "grace"}]
    for wave in is_open:
        said = (
            f"**The survey {words.plain(wave.id)}** {wave.told}. Your link came by mail or chat; answers"
            f" cannot be traced to you."
        )
        yield Fact("how_to_vote", said, "actions", "What came of the last")
    released = queries.survey_waves(view.source)
    if not is_open and len(released):
        last = released.iloc[0]
        said = f"**The survey {words.plain(last['wave'])}**: {last['invited']:,} were asked."
        yield Fact("forum", said, "results", "Results")


def _actions(view: View) -> None:
    rows = queries.survey_actions(view.source).head(ACTIONS)
    st.header("You said, we did", anchor=False)
    if rows.empty:
        st.markdown("Nothing was written down yet of what was done about the surveys' answers.")
    for row in rows.to_dict("records"):
        theme = words.plain(figures.theme_name(row["title"]))
        st.markdown(f"**{theme}**: {words.plain(row['said'])}  \n{words.plain(row['did'])}")
    navigation.link("actions", "Actions")
