"""The filter bar: the same on every page, and kept in the URL so that a view can be shared."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from functools import partial
from typing import NamedTuple

import pandas as pd
import streamlit as st

from dashboards import words
from dashboards.queries import Scope

MONTHS: Mapping[str, int | None] = {
    "3 months": 3,
    "6 months": 6,
    "12 months": 12,
    "All": None,
    "Custom": None,
}
DEFAULT_PERIOD, DEFAULT_GRAIN = "12 months", "Month"
DORMANT_AFTER = timedelta(days=90)


class Window(NamedTuple):
    """Days shown: from `since` up to and without `until`."""

    since: date
    until: date


class Choice(NamedTuple):
    """What the filter bar is set to."""

    scope: Scope
    grain: str
    window: Window


def anchor(latest: date, covered: date) -> date:
    """The day that "last N months" counts back from.

    That is the last day read, or, where nothing has been deployed for long, the day of the
    latest deployment: a history that ended years ago opens on its last year.
    """
    return min(latest, covered) if covered - latest > DORMANT_AFTER else covered


def whole(window: Window, grain: str) -> Window:
    """The window widened to whole periods of the grain."""
    freq = words.GRAINS[grain]
    first = pd.Period(window.since, freq)
    last = pd.Period(window.until - timedelta(days=1), freq)
    return Window(first.start_time.date(), (last + 1).start_time.date())


def window(period: str, grain: str, extent: tuple[date, date], covered: date, custom: Window) -> Window:
    """The days a choice comes to, in whole periods and within what is known.

    `extent`: days of the first and the latest deployment; `covered`: the last day read.
    """
    first, latest = extent
    end = anchor(latest, covered)
    if period == "Custom":
        first_day, last_day = sorted((custom.since, custom.until - timedelta(days=1)))
        return whole(Window(first_day, last_day + timedelta(days=1)), grain)
    if (months := MONTHS[period]) is None:
        return whole(Window(first, max(end, latest) + timedelta(days=1)), grain)
    until = whole(Window(end, end + timedelta(days=1)), grain).until
    back = (pd.Timestamp(until) - pd.DateOffset(months=months)).date()
    return whole(Window(max(back, min(first, end)), until), grain)


def bar(scopes: list[Scope], extent: tuple[date, date], covered: date) -> Choice:
    """Draw the bar and return what it is set to; values in the URL that mean nothing are ignored."""
    by_label = {scope.label: scope for scope in scopes}
    grains = {grain.capitalize(): grain for grain in words.GRAINS}
    with st.container(horizontal=True, vertical_alignment="bottom", key="filters"):
        period = st.selectbox(
            "Period",
            list(MONTHS),
            list(MONTHS).index(DEFAULT_PERIOD),
            key="period",
            bind="query-params",
            width=150,
        )
        grain = st.selectbox(
            "By", list(grains), list(grains).index(DEFAULT_GRAIN), key="grain", bind="query-params", width=130
        )
        label = st.selectbox("Service", list(by_label), key="service", bind="query-params", width=260)
        default = window(DEFAULT_PERIOD, "day", extent, covered, Window(*extent))
        since, last = default.since, default.until - timedelta(days=1)
        if period == "Custom":
            day = partial(
                st.date_input,
                bind="query-params",
                width=140,
                min_value=extent[0],
                max_value=max(covered, extent[1]),
            )
            since = day("Since", since, key="since")
            last = day("Until", last, key="until")
    custom = Window(since, last + timedelta(days=1))
    return Choice(by_label[label], grains[grain], window(period, grains[grain], extent, covered, custom))
